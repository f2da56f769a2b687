// The product's page as a person uses it, in a real browser, with the token service beside.
// Usage: node admin-console.mjs ADMIN-CONSOLE TOKEN-SERVICE [directory for pictures]
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { launch } from './browser.mjs'
import { admin, end, secrets, start, superuser, test, until } from './harness.mjs'

const [consoleDirectory, serviceDirectory, pictures] = process.argv.slice(2)
const service = await start(serviceDirectory, { PGUSER: 'test_service' })
// Neither of the two may let anybody in.
const web = await start(consoleDirectory, { PGUSER: 'postgres', PGPASSWORD: process.env.PGPASSWORD })
const browser = await launch()
const addresses = []

// A browser of somebody's own. Every address that it asks for is noted.
async function open (options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, permissions: ['clipboard-read', 'clipboard-write'], ...options })
  context.setDefaultTimeout(15000)
  const page = await context.newPage()
  page.on('request', (request) => addresses.push(request.url()))
  page.on('pageerror', (error) => console.log(`FAILED the page's script: ${error.message}`))
  await page.goto(web.origin)
  return page
}
async function signIn (page, role = 'test_admin', password = process.env.PGPASSWORD) {
  await page.getByLabel('Role').fill(role)
  await page.getByLabel('Password').fill(password)
  await page.keyboard.press('Enter')
}
const picture = (page, name) => pictures && page.screenshot({ path: `${pictures}/${name}.png` })
const button = (page, name) => page.getByRole('button', { name, exact: true })
const card = (page, name) => page.locator('.client', { has: page.getByRole('heading', { name, exact: true }) })
const shown = async (page, label) => page.locator('#once- div', { hasText: label }).locator('code').textContent()
async function add (page, name) {
  await button(page, 'ADD CLIENT').click()
  await page.getByLabel('API Client Name').fill(name)
  await button(page, 'Save').click()
  await page.locator('#once-').waitFor()
  const issued = { name: await shown(page, 'API Client Name'), id: await shown(page, 'Client ID'), secret: await shown(page, 'Client Secret') }
  secrets.push(issued.secret)
  return issued
}
const value = async (sql, ...values) => Object.values((await admin.query(sql, values)).rows[0])[0]
// The token service's answer to an id and a secret: an HTTP status.
async function token ({ id, secret }) {
  const body = new URLSearchParams({ client_id: id, client_secret: secret })
  const response = await fetch(`${service.origin}/api/v1/oauth2/token?grant_type=client_credentials`, { method: 'POST', body })
  if (response.ok) assert.equal((await response.json()).token_type, 'Bearer')
  return response.status
}

await admin.query('SELECT mogo_remove_client(client_id) FROM mogo_clients')
const page = await open()
let first, second

await test('a wrong password is refused, in the database\'s words', async () => {
  await signIn(page, 'test_admin', 'wrong')
  assert.match(await page.getByRole('alert').textContent(), /^Password authentication failed for user "test_admin"\.$/)
  // The console's own environment, which knows a password, is no way in.
  await page.evaluate(() => document.querySelectorAll('input').forEach((input) => { input.required = false }))
  await signIn(page, 'postgres', '')
  await page.getByText('Role and password are both needed.').waitFor()
})

await test('a role of the database signs in', async () => {
  await signIn(page)
  await page.getByRole('heading', { name: 'API Management' }).waitFor()
  assert.equal(await page.getByText('There is no client yet. Add the first one.').count(), 1)
  assert.equal(await page.locator('.who').textContent(), 'test_admin test on 127.0.0.1')
  assert.equal(new URL(page.url()).pathname + new URL(page.url()).search, '/')
})

await test('ADD CLIENT, API Client Name, Save: the credentials and the warning', async () => {
  first = await add(page, 'Mogoplus_testaccount')
  assert.equal(first.name, 'Mogoplus_testaccount')
  assert.match(first.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.match(first.secret, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  assert.match(await page.locator('#once- .note').textContent(), /will not be available again once you leave this screen/)
  assert.equal(await value('SELECT mogo_verify($1, $2)', first.id, first.secret), true)
})

await test('Escape does not lose credentials that nobody has saved', async () => {
  for (let i = 0; i < 3; i++) await page.keyboard.press('Escape') // Chromium lets a page say no only once
  await page.waitForTimeout(200)
  assert.equal(await shown(page, 'Client Secret'), first.secret)
})

await test('the key icon downloads the file, byte for byte', async () => {
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Download JSON').click()])
  assert.equal(download.suggestedFilename(), 'Mogoplus_testaccount.json')
  const bytes = await readFile(await download.path(), 'latin1')
  assert.equal(bytes, `{\n  "clientName": "Mogoplus_testaccount",\n  "clientId": "${first.id}",\n  "clientSecret": "${first.secret}"\n}\n`)
  await picture(page, 'credentials')
})

await test('a value is copied', async () => {
  await button(page, 'Copy: Client Secret').click()
  await page.getByText('Copied.').waitFor()
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), first.secret)
})

await test('closed, left and come back: the secret is gone', async () => {
  await button(page, 'Close').click()
  await page.locator('#once-').waitFor({ state: 'detached' })
  assert.ok(!(await page.content()).includes(first.secret))
  await page.goto('about:blank')
  await page.goBack()
  await card(page, first.name).waitFor()
  assert.ok(!(await page.content()).includes(first.secret))
  await page.reload()
  assert.ok(!(await page.content()).includes(first.secret))
})

await test('left with the credentials open and come back: the secret is gone', async () => {
  const other = await add(page, 'Left open')
  // What a browser does that keeps the page it leaves; this one keeps no page that says no-store.
  await page.evaluate(() => { dispatchEvent(new Event('pagehide')) })
  assert.equal(await page.locator('#once-').count(), 0)
  const [question] = await Promise.all([page.waitForEvent('dialog'), page.evaluate(() => { setTimeout(() => location.assign('about:blank')) })])
  assert.equal(question.type(), 'beforeunload')
  await question.accept()
  await page.waitForURL('about:blank')
  await page.goBack()
  await card(page, other.name).waitFor()
  assert.ok(!(await page.content()).includes(other.secret))
})

await test('the token service gives the client a token, and only for this secret', async () => {
  assert.equal(await token(first), 200)
  assert.equal(await token({ ...first, secret: 'wrong' }), 401)
})

await test('a name that exists is an error in the dialog, which stays', async () => {
  await button(page, 'ADD CLIENT').click()
  await page.getByLabel('API Client Name').fill(first.name)
  await button(page, 'Save').click()
  await page.getByText('Client name "Mogoplus_testaccount" already exists.').waitFor()
  assert.equal(await page.getByLabel('API Client Name').inputValue(), first.name)
  await page.keyboard.press('Escape')
})

await test('rotation with a chosen overlap: both secrets work, the old one has an end', async () => {
  await button(page, `Rotate the secret of ${first.name}`).click()
  await page.locator('dialog[open]').getByLabel('The secrets it has now').selectOption('end in 7 days')
  await button(page, 'Rotate').click()
  await page.locator('#once-').waitFor()
  second = { ...first, secret: await shown(page, 'Client Secret') }
  secrets.push(second.secret)
  assert.equal(await shown(page, 'Client ID'), first.id)
  assert.notEqual(second.secret, first.secret)
  await button(page, 'Download JSON').click()
  await button(page, 'Close').click()
  assert.deepEqual([await token(first), await token(second)], [200, 200])
  const days = await value("SELECT round(extract(epoch FROM next_expiry - now()) / 86400)::int FROM mogo_clients WHERE client_id = $1", first.id)
  assert.equal(days, 7)
})

await test('the list: live secrets, next expiry and last use, as the database has them', async () => {
  await page.reload()
  const { rows: [row] } = await admin.query('SELECT live_secrets, next_expiry, last_used_at FROM mogo_clients WHERE client_id = $1', [first.id])
  const cell = (label) => card(page, first.name).locator('> dl > div', { hasText: label }).locator('dd')
  assert.equal(await cell('Live secrets').textContent(), '2')
  assert.equal(await cell('Next expiry').locator('time').getAttribute('datetime'), row.next_expiry.toISOString())
  if (row.last_used_at) assert.ok(await cell('Last use').locator('time').getAttribute('datetime') <= row.last_used_at.toISOString())
  else assert.equal(await cell('Last use').textContent(), 'unknown')
})

await test('a revoked secret is refused at once, the other one works', async () => {
  await card(page, first.name).getByText('Secrets', { exact: true }).click()
  const old = await value("SELECT secret_id::text FROM mogo_secrets WHERE client_id = $1 AND expires_at IS NOT NULL", first.id)
  await picture(page, 'secrets')
  await button(page, `Revoke secret ${old.slice(0, 8)} of ${first.name}`).click()
  await button(page, 'Revoke').last().click()
  await page.getByText('The secret is revoked and refused from now on.').waitFor()
  assert.deepEqual([await token(first), await token(second)], [401, 200])
  assert.equal(await card(page, first.name).locator('.revoked').count(), 1)
})

await test('a disabled client is refused at once, and let in again when enabled', async () => {
  await button(page, `Disable ${first.name}`).click()
  await card(page, first.name).locator('.disabled').waitFor()
  assert.equal(await token(second), 401)
  await button(page, `Enable ${first.name}`).click()
  await card(page, first.name).locator('.enabled').waitFor()
  assert.equal(await token(second), 200)
})

await test('rotated without overlap, and the last secret revoked: refused', async () => {
  await button(page, `Rotate the secret of ${first.name}`).click()
  await page.locator('dialog[open]').getByLabel('The secrets it has now').selectOption('end at once')
  await button(page, 'Rotate').click()
  await page.locator('#once-').waitFor()
  const third = { ...first, secret: await shown(page, 'Client Secret') }
  secrets.push(third.secret)
  await button(page, 'Copy: Client Secret').click()
  await button(page, 'Close').click()
  assert.deepEqual([await token(second), await token(third)], [401, 200])
  await page.getByRole('button', { name: new RegExp(`^Revoke secret .* of ${first.name}$`) }).click()
  await button(page, 'Revoke').last().click()
  await until(async () => await token(third) === 401)
  await page.getByText('The secret is revoked and refused from now on.').waitFor()
})

await test('the audit names the role that signed in, not the console', async () => {
  const { rows } = await admin.query(`SELECT action, actor, application_name FROM mogo_audit WHERE client_id = $1 ORDER BY at`, [first.id])
  assert.deepEqual(rows.map(({ action }) => action), ['client_added', 'secret_rotated', 'secret_revoked', 'client_disabled',
    'client_enabled', 'secret_rotated', 'secret_revoked'])
  for (const row of rows) assert.deepEqual([row.actor, row.application_name], ['test_admin', 'mogocred admin console'])
})

await test('a name is text and never markup, in the page and in the file', async () => {
  const name = '<img src=x onerror=alert(1)> "Ünïcode" & \'quotes\''
  const issued = await add(page, name)
  assert.equal(issued.name, name)
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Download JSON').click()])
  assert.equal(download.suggestedFilename(), '_img_src_x_onerror_alert_1_Ünïcode_quotes_.json')
  assert.equal(JSON.parse(await readFile(await download.path(), 'utf8')).clientName, name)
  await button(page, 'Close').click()
  await card(page, name).waitFor()
  await page.getByLabel('Find a client by name').fill('nïCODE')
  await page.keyboard.press('Enter')
  await page.waitForURL(/find=/)
  assert.equal(await page.locator('.client').count(), 1)
})

await test('with the keyboard alone, on a phone\'s screen', async () => {
  const phone = await open({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true })
  const focused = () => phone.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id)
  const tabTo = async (name) => { for (let i = 0; await focused() !== name; i++) { assert.ok(i < 30, `no way to ${name}`); await phone.keyboard.press('Tab') } }
  assert.equal(await focused(), 'role')
  await phone.keyboard.type('test_admin')
  await tabTo('password')
  await phone.keyboard.type(process.env.PGPASSWORD)
  await phone.keyboard.press('Enter')
  await phone.waitForSelector('.client')
  await picture(phone, 'phone')
  assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page is wider than the screen')
  await tabTo('ADD CLIENT')
  await phone.keyboard.press('Enter')
  assert.equal(await focused(), 'client_name')
  await phone.keyboard.type('By keyboard')
  await phone.keyboard.press('Enter')
  await phone.locator('#once-').waitFor()
  await picture(phone, 'phone-credentials')
  assert.equal(await focused(), 'Download JSON')
  secrets.push(await shown(phone, 'Client Secret'))
  await Promise.all([phone.waitForEvent('download'), phone.keyboard.press('Enter')])
  await phone.keyboard.press('Escape')
  await phone.locator('#once-').waitFor({ state: 'detached' })
  await card(phone, 'By keyboard').waitFor()
  await phone.context().close()
})

await test('a role without the rights sees why, and nothing else', async () => {
  const other = await open()
  await signIn(other, 'test_service')
  assert.match(await other.getByRole('alert').textContent(), /^Permission denied for view mogo_clients\.$/)
  await other.context().close()
})

await test('no request changes anything without the page\'s own token, cookie and name', async () => {
  const cookies = await page.context().cookies()
  assert.ok(cookies.length > 0)
  for (const { httpOnly, sameSite } of cookies) assert.deepEqual([httpOnly, sameSite], [true, 'Strict'])
  const csrf = await page.locator('input[name=csrf]').first().inputValue()
  const post = (fields, headers) => fetch(`${web.origin}/do/add`, { method: 'POST', headers, body: new URLSearchParams(fields) })
  const signedIn = { cookie: cookies.map(({ name, value }) => `${name}=${value}`).join('; ') }
  assert.equal((await post({ name: 'Forged' }, signedIn)).status, 403)
  assert.equal((await post({ name: 'Forged', csrf: csrf.replace(/^./, (c) => c === 'a' ? 'b' : 'a') }, signedIn)).status, 403)
  assert.equal((await post({ name: 'Forged', csrf }, {})).status, 403)
  assert.equal(await value("SELECT count(*)::int FROM mogo_clients WHERE client_name = 'Forged'"), 0)
  assert.equal((await post({ name: 'Real', csrf }, signedIn)).status, 200)
  const rebound = await page.context().request.get(web.origin, { headers: { host: 'evil.example' } })
  assert.equal(rebound.status(), 421)
})

await test('the headers: nothing is kept, framed or loaded from elsewhere', async () => {
  const { headers } = await fetch(web.origin)
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.match(headers.get('content-security-policy'), /default-src 'none'.*frame-ancestors 'none'/)
  assert.equal(headers.get('x-content-type-options'), 'nosniff')
  assert.equal(headers.get('referrer-policy'), 'no-referrer')
})

await test('a session whose connection is gone ends, and says so by its sign-in', async () => {
  await superuser.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mogocred admin console'")
  await until(async () => !(await superuser.query("SELECT FROM pg_stat_activity WHERE application_name = 'mogocred admin console'")).rowCount)
  await button(page, 'ADD CLIENT').click()
  await page.getByLabel('API Client Name').fill('Too late')
  await button(page, 'Save').click()
  await page.getByLabel('Password').waitFor()
  await signIn(page)
  await page.locator('.client').first().waitFor()
})

await test('signed out: the connection is closed, and going back shows nothing', async () => {
  await button(page, 'Sign out').click()
  await page.getByLabel('Password').waitFor()
  await until(async () => !(await superuser.query("SELECT FROM pg_stat_activity WHERE application_name = 'mogocred admin console'")).rowCount)
  await page.goBack()
  assert.equal(await page.locator('.client').count(), 0)
})

await test('a server that asks for no password is not let to vouch for anybody', async () => {
  const trusting = await start(consoleDirectory, { PGHOST: process.env.TRUST_SOCKET })
  const other = await open()
  await other.goto(trusting.origin)
  await signIn(other, 'test_admin', 'anything')
  assert.match(await other.getByRole('alert').textContent(), /without a password, so the console does not/)
  await other.context().close()
  await trusting.stop()
})

await test('no secret was in an address or in what the two programs printed', () => {
  assert.ok(secrets.length >= 6 && addresses.length > 20)
  for (const secret of secrets) assert.ok(!addresses.some((address) => address.includes(secret)) && !web.output.includes(secret) && !service.output.includes(secret))
})

await browser.close()
await test('both stop when they are told to', async () => {
  assert.deepEqual([await web.stop(), await service.stop()], [[0, null], [0, null]])
})
await Promise.all([admin.end(), superuser.end()])
end()
