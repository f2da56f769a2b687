// An invitation from beginning to end, in a real browser: the administrator's console, the portal
// with its own role, and the token service. Then a program that rotates its own secret.
// Usage: node portal.mjs PORTAL ADMIN-CONSOLE TOKEN-SERVICE [directory for pictures]
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { launch } from './browser.mjs'
import { addClient, admin, end, secrets, start, superuser, test } from './harness.mjs'

const [portalDirectory, consoleDirectory, serviceDirectory, pictures] = process.argv.slice(2)
const portal = await start(portalDirectory, { PGUSER: 'test_portal', OVERLAP: '1 hour' })
const service = await start(serviceDirectory, { PGUSER: 'test_service' })
const web = await start(consoleDirectory, { PGUSER: 'postgres', PORTAL_URL: `${portal.origin}/` })
const browser = await launch()
const addresses = []

async function open (url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, permissions: ['clipboard-read', 'clipboard-write'], ...options })
  context.setDefaultTimeout(30000)
  const page = await context.newPage()
  page.on('request', (request) => addresses.push(request.url(), request.headers().referer ?? ''))
  page.on('pageerror', (error) => console.log(`FAILED the page's script: ${error.message}`))
  await page.goto(url)
  return page
}
const picture = (page, name) => pictures && page.screenshot({ path: `${pictures}/${name}.png` })
const button = (page, name) => page.getByRole('button', { name, exact: true })
const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)
const endpoint = `${service.origin}/api/v1/oauth2/token`
async function token (id, secret) {
  const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret })
  return (await fetch(endpoint, { method: 'POST', body })).status
}
const accept = (code, headers = {}) => fetch(`${portal.origin}/accept`, {
  method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify({ code })
})
const basic = (id, secret) => `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`
const rotate = (authorization) => fetch(`${portal.origin}/rotate`, { method: 'POST', headers: { authorization } })

const consolePage = await open(web.origin)
await consolePage.getByLabel('Role').fill('test_admin')
await consolePage.getByLabel('Password').fill(process.env.PGPASSWORD)
await consolePage.keyboard.press('Enter')
await consolePage.getByRole('heading', { name: 'API Management' }).waitFor()

// Invites a new client in the console. Returns the link.
async function invite (name) {
  await consolePage.goto(web.origin)
  await button(consolePage, 'INVITE').click()
  await consolePage.locator('#invite-new-').getByLabel('API Client Name').fill(name)
  await button(consolePage, 'Make the link').click()
  await consolePage.locator('#once').waitFor()
  const link = await consolePage.locator('#once .secret code').textContent()
  secrets.push(new URL(link).hash.slice(1))
  return link
}
async function close () {
  await button(consolePage, 'Copy: Link').click()
  await consolePage.getByText('Copied.').waitFor()
  await consolePage.locator('#once [data-leave]').click()
  await consolePage.locator('#once').waitFor({ state: 'detached' })
}
const status = async (name) => (await admin.query('SELECT status FROM mogo.mogo_invitations WHERE client_name = $1', [name])).rows[0].status

let link, id, secret
await test('the console makes a link, shows it once, and no secret', async () => {
  link = await invite('Partner A')
  assert.match(link, new RegExp(`^${portal.origin}/#mogoinvite_[0-9A-Za-z]{49}$`))
  await picture(consolePage, 'invitation')
  // nobody has copied it: it asks
  await consolePage.locator('#once [data-leave]').click()
  await consolePage.getByText('Nobody has copied this link').waitFor()
  await button(consolePage, 'Keep it open').click()
  await close()
  assert.equal(await consolePage.evaluate(() => navigator.clipboard.readText()), link)
  assert.equal((await admin.query("SELECT live_secrets FROM mogo.mogo_clients WHERE client_name = 'Partner A'")).rows[0].live_secrets, 0)
})

await test('a preview or a mail scanner that opens the link uses nothing up', async () => {
  for (const method of ['GET', 'HEAD']) assert.equal((await fetch(link, { method })).status, 200)
  assert.equal((await fetch(`${portal.origin}/accept?code=${new URL(link).hash.slice(1)}`)).status, 404)
  const look = await open(link)
  await button(look, 'SHOW MY CREDENTIALS').waitFor()
  await look.context().close()
  assert.equal(await status('Partner A'), 'open')
})

await test('the partner presses the button and gets the credentials, once', async () => {
  const page = await open(link)
  await picture(page, 'portal')
  assert(await fits(page))
  await button(page, 'SHOW MY CREDENTIALS').click()
  await page.getByText('They will not be available again').waitFor()
  assert.equal(await page.locator('#name').textContent(), 'Partner A')
  id = await page.locator('#id').textContent()
  secret = await page.locator('#secret').textContent()
  secrets.push(secret)
  assert.match(secret, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  assert.equal(page.url(), `${portal.origin}/`, 'the code is out of the address')
  await picture(page, 'portal-credentials')
  // leaving asks, until it is saved
  const asked = new Promise((resolve) => page.once('dialog', (dialog) => { dialog.dismiss().catch(() => {}); resolve(dialog.type()) }))
  page.reload().catch(() => {})
  assert.equal(await asked, 'beforeunload')
  const download = page.waitForEvent('download')
  await button(page, 'Download the JSON file').click()
  const file = await download
  assert.equal(file.suggestedFilename(), 'Partner_A.json')
  assert.equal(await readFile(await file.path(), 'utf8'),
    `{\n  "clientName": "Partner A",\n  "clientId": "${id}",\n  "clientSecret": "${secret}"\n}\n`)
  await page.reload()
  await page.getByText('This invitation is not good').waitFor()
  assert(!(await page.content()).includes(secret), 'reloading does not bring it back')
  await page.goBack().catch(() => {})
  assert(!(await page.content()).includes(secret), 'nor does going back')
  await page.context().close()
})

await test('the token service takes them; the link opened again says that it is used', async () => {
  assert.equal(await token(id, secret), 200)
  const page = await open(link)
  await button(page, 'SHOW MY CREDENTIALS').click()
  await page.getByText('somebody else may have').waitFor()
  await page.context().close()
})

await test('the console shows when and from where it was taken up', async () => {
  await consolePage.goto(`${web.origin}/client/${id}`)
  const cells = consolePage.locator('table').last().locator('tbody td')
  assert.equal(await cells.nth(1).textContent(), 'accepted')
  assert.match(await cells.nth(4).textContent(), /^\d{4}-\d\d-\d\d \d\d:\d\d$/)
  assert.equal(await cells.nth(5).textContent(), '127.0.0.1')
  await picture(consolePage, 'invitation-taken-up')
})

await test('an invitation that was revoked in the console is good for nothing', async () => {
  const other = await invite('Partner B')
  await close()
  await consolePage.locator('.added a').click().catch(() => {})
  const { rows: [{ client_id: client }] } = await admin.query("SELECT client_id FROM mogo.mogo_clients WHERE client_name = 'Partner B'")
  await consolePage.goto(`${web.origin}/client/${client}`)
  await consolePage.locator('table').last().getByRole('button', { name: /Revoke/ }).first().click()
  await consolePage.locator('dialog[open]').getByRole('button', { name: 'Revoke', exact: true }).click()
  await consolePage.getByText('The invitation is revoked.').waitFor()
  assert.equal((await accept(new URL(other).hash.slice(1))).status, 404)
  // an owner who has lost the secret is invited again, from the client's own page
  await button(consolePage, 'Invite the owner').click()
  await consolePage.locator('dialog[open]').getByLabel('The secrets it has then').selectOption('0')
  await consolePage.locator('dialog[open]').getByRole('button', { name: 'Make the link' }).click()
  await consolePage.locator('#once').waitFor()
  const again = new URL(await consolePage.locator('#once .secret code').textContent()).hash.slice(1)
  secrets.push(again)
  await close()
  const answer = await accept(again)
  assert.equal(answer.status, 200)
  assert.equal(answer.headers.get('cache-control'), 'no-store')
  const issued = await answer.json()
  secrets.push(issued.clientSecret)
  assert.equal(await token(issued.clientId, issued.clientSecret), 200)
})

await test('a phone in the dark: nothing is cut off', async () => {
  const small = await invite('مورد 三菱 partner with a name that is long enough to need several lines on a small screen')
  await close()
  const page = await open(small, { viewport: { width: 320, height: 640 }, colorScheme: 'dark' })
  assert(await fits(page))
  await button(page, 'SHOW MY CREDENTIALS').click()
  await page.getByText('They will not be available again').waitFor()
  secrets.push(await page.locator('#secret').textContent())
  assert(await fits(page))
  await picture(page, 'portal-phone-dark')
  await page.context().close()
})

await test('anything else that is sent is a refusal, and no code is used up by it', async () => {
  for (const body of ['', '{', 'null', '[]', '{"code": 1}', '{"code": null}', '{"code": "x"}', `{"code": "${'x'.repeat(2000)}"}`]) {
    const answer = await fetch(`${portal.origin}/accept`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body })
    assert([400, 404, 413].includes(answer.status), `${body.slice(0, 20)}: ${answer.status}`)
  }
  for (const header of ['', 'Basic', 'Basic x', 'Basic ====', 'Bearer x', basic('a', 'b'), `Basic ${Buffer.from('%zz:x').toString('base64')}`]) {
    const answer = await rotate(header)
    assert.equal(answer.status, 401, header)
    assert.deepEqual(await answer.json(), { error: 'invalid_client' })
  }
})

await test('a program rotates its own secret from a timer, without an outage', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'rotate-'))
  const file = join(directory, 'client.json')
  const { rows: [client] } = await admin.query("SELECT * FROM mogo.mogo_add_client('Robot', external_id => 'https://robot.example/a b', scopes => '{read}')")
  secrets.push(client.client_secret)
  await writeFile(file, JSON.stringify({ clientName: 'Robot', clientId: client.external_id, clientSecret: client.client_secret }))
  let ending = false
  let checks = 0
  // somebody who reads the file anew for each token, all the time
  const reader = (async () => {
    while (!ending) {
      const { clientId, clientSecret } = JSON.parse(await readFile(file, 'utf8'))
      assert.equal(await token(clientId, clientSecret), 200)
      checks++
    }
  })()
  for (let n = 0; n < 3; n++) {
    await promisify(execFile)(process.execPath, [join(portalDirectory, 'rotate.mjs'), file, portal.origin, endpoint])
    const { clientId, clientSecret } = JSON.parse(await readFile(file, 'utf8'))
    assert.equal(clientId, client.external_id)
    secrets.push(clientSecret)
    assert.equal((await stat(file)).mode & 0o777, 0o600)
  }
  ending = true
  await reader
  assert(checks > 0)
  assert.deepEqual(await readdir(directory), ['client.json'])
  assert.equal(await token(client.external_id, client.client_secret), 200, 'the first one, until its overlap ends')
  await rm(directory, { recursive: true })
})

await test('a secret that was revoked rotates nothing', async () => {
  const { id, secret, secretId } = await addClient('Revoked')
  await admin.query('SELECT mogo.mogo_revoke_secret($1)', [secretId])
  assert.equal((await rotate(basic(id, secret))).status, 401)
})

await test('while the database is away, the portal says so and loses nothing', async () => {
  const { rows: [{ code }] } = await admin.query("SELECT i.code FROM mogo.mogo_add_client('Later', with_secret => false) AS c, LATERAL mogo.mogo_invite(c.client_id, '1 hour') AS i")
  secrets.push(code)
  await superuser.query('ALTER ROLE test_portal NOLOGIN')
  await superuser.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'test_portal'")
  assert.equal((await accept(code)).status, 503)
  await superuser.query('ALTER ROLE test_portal LOGIN')
  const answer = await accept(code)
  assert.equal(answer.status, 200)
  secrets.push((await answer.json()).clientSecret)
})

await test('no code and no secret is in an address, a referrer or what was printed', async () => {
  const printed = [portal, web, service].map(({ output }) => output).join('')
  for (const hidden of secrets) {
    assert(!printed.includes(hidden))
    // the fragment stays in the browser: it is in the address that the page asks for itself, never in a request
    assert(!addresses.some((address) => address.split('#')[0].includes(hidden)))
  }
})

await browser.close()
await Promise.all([portal.stop(), web.stop(), service.stop()])
await Promise.all([admin.end(), superuser.end()])
end()
