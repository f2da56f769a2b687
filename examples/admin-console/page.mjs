// The page: what the server sends. Everything that comes from outside is escaped by html.
class Markup { constructor (text) { this.text = text } }
const raw = (value) => value instanceof Markup ? value.text
  : Array.isArray(value) ? value.map(raw).join('')
    : value === undefined || value === null || value === false ? ''
      : String(value).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt()};`)
const html = (texts, ...values) => new Markup(texts.map((text, i) => text + raw(values[i])).join(''))

const icon = (path) => html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`
const key = icon('M12 15.5a4.5 4.5 0 1 1-9 0 4.5 4.5 0 0 1 9 0zM10.7 12.3 20.5 2.5M15.5 7.5l3 3M19 4l2.5 2.5')
const copy = icon('M9 9h11v11H9zM5 15H4V4h11v1')
const time = (date, none) => date
  ? html`<time datetime="${date.toISOString()}">${date.toISOString().slice(0, 16).replace('T', ' ')} UTC</time>`
  : html`<span class="none">${none}</span>`
const hidden = (fields) => Object.entries(fields).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)

const frame = (title, csrf, db, main) => `<!doctype html>
${html`<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/style.css">
<script type="module" src="/app.js"></script>
</head>
<body>
<header><a class="brand" href="/">${key} mogocred</a>
${db && html`<p class="who"><b>${db.role}</b> <span>${db.database}</span></p>
<form method="post" action="/logout">${hidden({ csrf })}<button class="quiet">Sign out</button></form>`}</header>
<noscript><p class="error">This page needs JavaScript.</p></noscript>
<main id="main" tabindex="-1">${main}</main>
<p class="toast" role="status"></p>
</body>
</html>`.text}`

export const signIn = ({ csrf, error, role, db }) => frame('Sign in · API Management', csrf, db, html`
<section class="card sign-in">
  <h1>API Management</h1>
  <p>Sign in with your PostgreSQL role. Its rights are yours here, and the audit names it.</p>
  ${error && html`<p class="error" role="alert">${error}</p>`}
  <form method="post" action="/login">${hidden({ csrf })}
    <label for="role">Role</label>
    <input id="role" name="role" value="${role}" required autocomplete="username" autocapitalize="none" spellcheck="false" autofocus>
    <label for="password">Password</label>
    <input id="password" name="password" type="password" required autocomplete="current-password">
    <button class="primary">Sign in</button>
  </form>
</section>`)

const secretRow = (client, secret) => html`<li>
  <span class="state ${secret.status}">${secret.status}</span>
  <code title="${secret.secret_id}">${secret.secret_id.slice(0, 8)}</code>
  <dl>
    <div><dt>Issued</dt><dd>${time(secret.created_at)}</dd></div>
    <div><dt>${secret.revoked_at ? 'Revoked' : 'Expires'}</dt><dd>${time(secret.revoked_at ?? secret.expires_at, 'never')}</dd></div>
    <div><dt>Last use</dt><dd>${time(secret.last_used_at, 'unknown')}</dd></div>
  </dl>
  ${secret.status === 'active' && html`<button class="danger" data-open="revoke" data-secret_id="${secret.secret_id}" data-name="${client.client_name}"
    aria-label="Revoke secret ${secret.secret_id.slice(0, 8)} of ${client.client_name}">Revoke</button>`}
</li>`

const clientCard = (client, fields, [state, change] = client.enabled ? ['enabled', 'disable'] : ['disabled', 'enable']) => html`<li class="card client">
  <div class="name"><h2>${client.client_name}</h2><span class="state ${state}">${state}</span></div>
  <div class="buttons">
    <button data-open="rotate" data-client_id="${client.client_id}" data-name="${client.client_name}" aria-label="Rotate the secret of ${client.client_name}">Rotate</button>
    <form data-swap method="post" action="/do/${change}">${hidden({ ...fields, client_id: client.client_id })}
      <button aria-label="${change} ${client.client_name}">${change}</button></form>
  </div>
  <p class="id"><span>Client ID</span> <code>${client.client_id}</code>
    <button class="icon-only" data-copy="${client.client_id}" aria-label="Copy the client ID of ${client.client_name}">${copy}</button></p>
  <dl>
    <div><dt>Live secrets</dt><dd>${client.live_secrets}</dd></div>
    <div><dt>Next expiry</dt><dd>${time(client.next_expiry, 'never')}</dd></div>
    <div><dt>Last use</dt><dd>${time(client.last_used_at, 'unknown')}</dd></div>
    <div><dt>Added</dt><dd>${time(client.created_at)} <span class="none">by ${client.created_by}</span></dd></div>
  </dl>
  <details id="${client.client_id}"><summary>Secrets</summary><ul>${client.secrets.map((secret) => secretRow(client, secret))}</ul></details>
</li>`

const dialog = (action, title, fields, content, button) => html`<dialog id="${action}" aria-labelledby="${action}-title">
  <form data-swap method="post" action="/do/${action}">${hidden(fields)}
    <h2 id="${action}-title">${title}</h2>${content}
    <p class="error" role="alert"></p>
    <div class="buttons"><button type="button" data-close>Cancel</button><button class="primary">${button}</button></div>
  </form></dialog>`

const value = (label, text) => html`<div><dt>${label}</dt><dd><code>${text}</code>
  <button class="icon-only" data-copy="${text}" aria-label="Copy: ${label}">${copy}</button></dd></div>`

// Shown once: closing it takes it out of the document.
const credentials = (issued) => html`<dialog data-once aria-labelledby="once-title" aria-describedby="once-warning">
  <h2 id="once-title">Client credentials</h2>
  <p id="once-warning" class="warning">The client ID and client secret will not be available again once you leave this screen. Download or copy them now.</p>
  <dl>${value('API Client Name', issued.client_name)}${value('Client ID', issued.client_id)}${value('Client Secret', issued.client_secret)}</dl>
  <p role="status"></p>
  <div class="buttons"><button data-close>Close</button>
    <button class="primary" autofocus data-file="${issued.file}" data-name="${issued.client_name}">${key} Download JSON</button></div>
</dialog>`

const done = {
  disable: 'The client is disabled and refused from now on.',
  enable: 'The client is enabled.',
  revoke: 'The secret is revoked and refused from now on.'
}

export function apiManagement ({ csrf, db, clients, more, words, action, issued }) {
  const fields = { csrf, find: words }
  return frame('API Management', csrf, db, html`
<div class="head" data-done="${done[action]}">
  <div><h1>API Management</h1><p>The clients that may call the API.</p></div>
  <button class="primary" data-open="add">ADD CLIENT</button>
</div>
<form class="find" role="search"><label for="find">Find a client by name</label>
  <input id="find" name="find" type="search" value="${words}" autocomplete="off"><button>Find</button></form>
${more && html`<p class="none">These are the first ${clients.length}: find the others by name.</p>`}
${clients.length === 0 && html`<p class="card empty">${words ? 'No client has that in its name.' : 'There is no client yet. Add the first one.'}</p>`}
<ul class="clients">${clients.map((client) => clientCard(client, fields))}</ul>
${dialog('add', 'Add client', { csrf }, html`
  <label for="client_name">API Client Name</label>
  <input id="client_name" name="client_name" required maxlength="255" autocomplete="off" spellcheck="false" autofocus>`, 'Save')}
${dialog('rotate', 'Rotate secret', { ...fields, client_id: '' }, html`
  <p><b data-text="name"></b> gets a new secret, which is shown once.</p>
  <label for="overlap">The secrets it has now</label>
  <select id="overlap" name="overlap"><option value="1 hour">end in an hour</option><option value="1 day" selected>end in a day</option>
    <option value="7 days">end in a week</option><option value="30 days">end in 30 days</option><option value="0">end at once</option></select>`, 'Rotate')}
${dialog('revoke', 'Revoke secret', { ...fields, secret_id: '' }, html`
  <p>Secret <code data-text="secret_id"></code> of <b data-text="name"></b> is refused from then on. This cannot be undone.</p>`, 'Revoke')}
${issued && credentials(issued)}`)
}
