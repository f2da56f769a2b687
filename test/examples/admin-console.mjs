// The product's page as a person uses it, in a real browser, with the token service beside.
// Usage: node admin-console.mjs ADMIN-CONSOLE TOKEN-SERVICE [directory for pictures]
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
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
const row = (page, name) => page.locator('.clients tbody tr', { has: page.getByRole('link', { name, exact: true }) })
const names = (page) => page.locator('.clients tbody td.name').allTextContents()
const shown = async (page, label) => page.locator('#once div', { hasText: label }).locator('code, bdi').textContent()
const gone = (page) => page.locator('#once').waitFor({ state: 'detached' })
const framed = (page) => page.evaluate(() => [...document.querySelectorAll('html, body, main')]
  .filter((element) => getComputedStyle(element).outlineStyle !== 'none').map(({ localName }) => localName))
const fits = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)
async function visit (page, name) {
  await page.goto(web.origin)
  await page.getByLabel('Find a client by name or id').fill(name)
  await page.keyboard.press('Enter')
  await page.waitForURL(/find=/)
  await page.getByRole('link', { name, exact: true }).click()
  await page.getByRole('heading', { name, exact: true }).waitFor()
}
async function add (page, name) {
  await button(page, 'ADD CLIENT').click()
  await page.getByRole('textbox', { name: 'API Client Name' }).fill(name)
  await button(page, 'Save').click()
  await page.locator('#once').waitFor()
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

await admin.query('SELECT mogo.mogo_remove_client(client_id) FROM mogo.mogo_clients')
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
  assert.match(await page.locator('#once .warning').textContent(), /will not be available again once you leave this screen/)
  assert.equal(await value('SELECT mogo.mogo_verify($1, $2)', first.id, first.secret), true)
})

await test('Close and Escape ask before an unsaved secret is lost, and staying is the answer at hand', async () => {
  const [stay, away] = [button(page, 'Keep it open'), button(page, 'Throw it away')]
  for (const leave of [() => button(page, 'Close').click(), () => page.keyboard.press('Escape')]) {
    await leave()
    await page.getByText('Nobody has saved this secret, and nobody can show it again.').waitFor()
    assert.equal(await stay.evaluate((element) => element === document.activeElement), true)
    await page.keyboard.press('Enter')
    await stay.waitFor({ state: 'hidden' })
    assert.equal(await shown(page, 'Client Secret'), first.secret)
  }
  for (let i = 0; i < 6; i++) await page.keyboard.press('Escape') // asks, stays, asks …
  assert.equal(await shown(page, 'Client Secret'), first.secret)
  await button(page, 'Copy: Client ID').click() // is not the secret
  await page.keyboard.press('Escape')
  await away.waitFor()
  await page.keyboard.press('Escape')
  await away.waitFor({ state: 'hidden' })
})

await test('the key icon downloads the file, byte for byte', async () => {
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Download JSON').click()])
  assert.equal(download.suggestedFilename(), 'Mogoplus_testaccount.json')
  const bytes = await readFile(await download.path(), 'latin1')
  assert.equal(bytes, `{\n  "clientName": "Mogoplus_testaccount",\n  "clientId": "${first.id}",\n  "clientSecret": "${first.secret}"\n}\n`)
  await picture(page, 'credentials')
})

await test('nothing in its dialog is more prominent than the secret', async () => {
  const sizes = await page.evaluate(() => [...document.querySelectorAll('#once *')].filter((element) => element.innerText && !element.children.length)
    .map((element) => [element.innerText, parseFloat(getComputedStyle(element).fontSize), Number(getComputedStyle(element).fontWeight)]))
  const [[, size, weight]] = sizes.filter(([text]) => text === first.secret)
  for (const [text, other, heavy] of sizes) assert.ok(text === first.secret || (other < size && heavy <= weight), `${text}: ${other}px, the secret: ${size}px`)
})

await test('closed after the download: the secret is gone, and no frame is around the page', async () => {
  await page.keyboard.press('Escape')
  await gone(page)
  assert.ok(!(await page.content()).includes(first.secret))
  assert.deepEqual(await framed(page), [])
  await page.goto('about:blank')
  await page.goBack()
  await row(page, first.name).waitFor()
  assert.ok(!(await page.content()).includes(first.secret))
  await page.reload()
  assert.ok(!(await page.content()).includes(first.secret))
})

await test('a secret that was copied is saved: Escape and Close close', async () => {
  for (const leave of [() => page.keyboard.press('Escape'), () => button(page, 'Close').click()]) {
    const issued = await add(page, `Copied ${secrets.length}`)
    await button(page, 'Copy: Client Secret').click()
    await page.getByText('Copied.').waitFor()
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), issued.secret)
    await leave()
    await gone(page)
  }
})

await test('thrown away on purpose: the dialog closes', async () => {
  const issued = await add(page, 'Thrown away')
  await button(page, 'Close').click()
  await button(page, 'Throw it away').click()
  await gone(page)
  assert.ok(!(await page.content()).includes(issued.secret))
})

await test('left with the credentials open and come back: the secret is gone', async () => {
  const other = await add(page, 'Left open')
  // What a browser does that keeps the page it leaves; this one keeps no page that says no-store.
  await page.evaluate(() => { dispatchEvent(new Event('pagehide')) })
  assert.equal(await page.locator('#once').count(), 0)
  const [question] = await Promise.all([page.waitForEvent('dialog'), page.evaluate(() => { setTimeout(() => location.assign('about:blank')) })])
  assert.equal(question.type(), 'beforeunload')
  await question.accept()
  await page.waitForURL('about:blank')
  await page.goBack()
  await row(page, other.name).waitFor()
  assert.ok(!(await page.content()).includes(other.secret))
})

await test('the token service gives the client a token, and only for this secret', async () => {
  assert.equal(await token(first), 200)
  assert.equal(await token({ ...first, secret: 'wrong' }), 401)
})

await test('a name that exists is an error in the dialog, which stays', async () => {
  await button(page, 'ADD CLIENT').click()
  await page.getByRole('textbox', { name: 'API Client Name' }).fill(first.name)
  await button(page, 'Save').click()
  await page.getByText('Client name "Mogoplus_testaccount" already exists.').waitFor()
  assert.equal(await page.getByRole('textbox', { name: 'API Client Name' }).inputValue(), first.name)
  await page.keyboard.press('Escape')
})

await test('rotation with a chosen overlap: both secrets work, the old one has an end', async () => {
  await visit(page, first.name)
  await button(page, 'Rotate the secret').click()
  await page.locator('dialog[open]').getByLabel('The secrets it has now').selectOption('end in 7 days')
  await button(page, 'Rotate').click()
  await page.locator('#once').waitFor()
  second = { ...first, secret: await shown(page, 'Client Secret') }
  secrets.push(second.secret)
  assert.equal(await shown(page, 'Client ID'), first.id)
  assert.notEqual(second.secret, first.secret)
  await page.keyboard.press('Enter') // Download JSON
  await page.keyboard.press('Escape')
  await gone(page)
  assert.deepEqual(await framed(page), [])
  assert.deepEqual([await token(first), await token(second)], [200, 200])
  const days = await value("SELECT round(extract(epoch FROM next_expiry - now()) / 86400)::int FROM mogo.mogo_clients WHERE client_id = $1", first.id)
  assert.equal(days, 7)
})

await test('the list: id, status, secrets, next end and last use, as the database has them', async () => {
  await page.getByRole('link', { name: 'All clients' }).click()
  const client = row(page, first.name)
  await client.waitFor()
  const { rows: [want] } = await admin.query('SELECT live_secrets, next_expiry, last_used_at FROM mogo.mogo_clients WHERE client_id = $1', [first.id])
  const cell = (label) => client.locator(`td[data-label="${label}"]`)
  assert.equal(await client.locator('.id').textContent(), first.id)
  assert.equal(await client.locator('.state').textContent(), 'enabled')
  assert.equal(await cell('Secrets').textContent(), '2')
  assert.equal(await cell('Next end').locator('time').getAttribute('datetime'), want.next_expiry.toISOString())
  if (want.last_used_at) assert.ok(await cell('Last use').locator('time').getAttribute('datetime') <= want.last_used_at.toISOString())
  else assert.equal(await cell('Last use').textContent(), 'unknown')
  await client.getByRole('button', { name: 'Copy this client ID' }).click()
  await page.getByText('Copied.').waitFor()
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), first.id)
})

await test('a revoked secret is refused at once, the other one works', async () => {
  await visit(page, first.name)
  const old = await value('SELECT secret_id::text FROM mogo.mogo_secrets WHERE client_id = $1 AND expires_at IS NOT NULL', first.id)
  await picture(page, 'secrets')
  await button(page, `Revoke secret ${old.slice(0, 8)}`).click()
  await button(page, 'Revoke').last().click()
  await page.getByText('The secret is revoked and refused from now on.').waitFor()
  assert.deepEqual([await token(first), await token(second)], [401, 200])
  assert.equal(await page.locator('.revoked').count(), 1)
})

await test('a disabled client is refused at once, and let in again when enabled', async () => {
  await button(page, 'Disable').click()
  await page.locator('header .disabled').waitFor()
  assert.equal(await token(second), 401)
  await button(page, 'Enable').click()
  await page.locator('header .enabled').waitFor()
  assert.equal(await token(second), 200)
})

await test('rotated without overlap, and the last secret revoked: refused', async () => {
  await button(page, 'Rotate the secret').click()
  await page.locator('dialog[open]').getByLabel('The secrets it has now').selectOption('end at once')
  await button(page, 'Rotate').click()
  await page.locator('#once').waitFor()
  const third = { ...first, secret: await shown(page, 'Client Secret') }
  secrets.push(third.secret)
  await button(page, 'Copy: Client Secret').click()
  await page.getByText('Copied.').waitFor()
  await button(page, 'Close').click()
  assert.deepEqual([await token(second), await token(third)], [401, 200])
  await page.getByRole('button', { name: /^Revoke secret / }).click()
  await button(page, 'Revoke').last().click()
  await until(async () => await token(third) === 401)
  await page.getByText('The secret is revoked and refused from now on.').waitFor()
})

await test('the database\'s hint is shown with its error', async () => {
  const many = await add(page.url() === `${web.origin}/` ? page : (await page.goto(web.origin), page), 'Many secrets')
  await button(page, 'Copy: Client Secret').click()
  await page.keyboard.press('Escape')
  let refused
  while (!refused) {
    await admin.query('SELECT mogo.mogo_add_secret($1)', [many.id]).then(({ rows }) => rows, (error) => { refused = error })
  }
  assert.ok(refused.hint)
  await visit(page, many.name)
  await button(page, 'Rotate the secret').click()
  await button(page, 'Rotate').click()
  await page.locator('dialog[open] output.error', { hasText: refused.hint.slice(1) }).waitFor()
  await page.keyboard.press('Escape')
})

await test('the audit names the role that signed in, not the console', async () => {
  const { rows } = await admin.query(`SELECT action, actor, application_name FROM mogo.mogo_audit WHERE client_id = $1 ORDER BY at`, [first.id])
  assert.deepEqual(rows.map(({ action }) => action), ['client_added', 'secret_rotated', 'secret_revoked', 'client_disabled',
    'client_enabled', 'secret_rotated', 'secret_revoked'])
  for (const row of rows) assert.deepEqual([row.actor, row.application_name], ['test_admin', 'mogocred admin console'])
})

await test('a name is text and never markup, in the page and in the file', async () => {
  await page.goto(web.origin)
  const name = '<img src=x onerror=alert(1)> "Ünïcode" & \'quotes\''
  const issued = await add(page, name)
  assert.equal(issued.name, name)
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Download JSON').click()])
  assert.equal(download.suggestedFilename(), '_img_src_x_onerror_alert_1_Ünïcode_quotes_.json')
  assert.equal(JSON.parse(await readFile(await download.path(), 'utf8')).clientName, name)
  await button(page, 'Close').click()
  await gone(page) // which moves the focus
  await row(page, name).waitFor()
  await page.getByLabel('Find a client by name or id').fill('nïCODE')
  await page.keyboard.press('Enter')
  await page.waitForURL(/find=/)
  assert.deepEqual(await names(page), [name])
})

await test('a name of 255 letters leaves each Copy inside the dialog, on a desktop and at 320 px', async () => {
  const narrow = await open({ viewport: { width: 320, height: 640 } })
  await signIn(narrow)
  await page.goto(web.origin)
  for (const [of, letter] of [[page, 'W'], [narrow, 'M']]) {
    await button(of, 'ADD CLIENT').waitFor()
    assert.ok(await fits(of), 'the list is wider than the screen')
    await add(of, letter.repeat(255))
    const dialog = await of.locator('#once article').boundingBox()
    for (const copy of await of.locator('#once [data-copy]').all()) {
      const { x, width } = await copy.boundingBox()
      assert.ok(x >= dialog.x && x + width <= dialog.x + dialog.width, `Copy is from ${x} to ${x + width}, the dialog from ${dialog.x} to ${dialog.x + dialog.width}`)
    }
    assert.ok(await fits(of), 'the dialog is wider than the screen')
    await button(of, 'Download JSON').click()
    await of.keyboard.press('Escape')
    await gone(of)
    assert.ok(await fits(of), 'the list is wider than the screen')
    await visit(of, letter.repeat(255))
    assert.ok(await fits(of), 'the client is wider than the screen')
  }
  await narrow.context().clearCookies()
  await narrow.goto(web.origin)
  assert.ok(await fits(narrow), 'the sign-in is wider than the screen')
  await narrow.context().close()
})

// Is the last character of the element's text left of the first, as in a text from right to left?
const fromTheRight = (locator) => locator.evaluate((element) => {
  const rect = (at) => {
    const range = document.createRange()
    range.setStart(element.firstChild, at)
    range.setEnd(element.firstChild, at + 1)
    return range.getBoundingClientRect().left
  }
  return rect(element.firstChild.length - 1) < rect(0)
})

await test('a name that is written from the right keeps its order, and its neighbours theirs', async () => {
  const name = 'مرحبا بالعالم!' // the mark stands at the left
  await page.goto(web.origin)
  await add(page, name)
  assert.ok(await fromTheRight(page.locator('#once bdi')))
  await button(page, 'Download JSON').click()
  await button(page, 'Close').click()
  const client = row(page, name)
  assert.ok(await fromTheRight(client.locator('bdi')))
  const left = async (locator) => (await locator.boundingBox()).x
  assert.equal(await left(client.locator('bdi')), await left(row(page, first.name).locator('bdi')))
  await visit(page, name)
  assert.ok(await fromTheRight(page.locator('h1 bdi')))
})

await test('one colour each for error, warning and success, all readable, light and dark', async () => {
  await page.goto(web.origin)
  const look = (locator) => locator.first().evaluate((element) => {
    const { color, backgroundColor } = getComputedStyle(element)
    const light = (text) => text.match(/[\d.]+/g).slice(0, 3).map((value) => value / 255)
      .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
      .reduce((sum, value, i) => sum + value * [0.2126, 0.7152, 0.0722][i], 0)
    const [high, low] = [light(color), light(backgroundColor)].sort((a, b) => b - a)
    return { color, contrast: (high + 0.05) / (low + 0.05) }
  })
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme })
    await button(page, 'ADD CLIENT').click()
    await page.getByRole('textbox', { name: 'API Client Name' }).fill(first.name)
    await button(page, 'Save').click()
    await page.getByText('already exists').waitFor()
    const error = await look(page.locator('dialog[open] output'))
    await page.getByRole('textbox', { name: 'API Client Name' }).fill(`Colours ${colorScheme}`)
    await button(page, 'Save').click()
    await page.locator('#once').waitFor()
    secrets.push(await shown(page, 'Client Secret'))
    const warning = await look(page.locator('#once [role=alert]'))
    await button(page, 'Copy: Client Secret').click()
    await page.getByText('Copied.').waitFor()
    const success = await look(page.locator('#once output'))
    await button(page, 'Close').click()
    assert.equal(new Set([error, warning, success].map(({ color }) => color)).size, 3)
    for (const { color, contrast } of [error, warning, success]) assert.ok(contrast >= 4.5, `${color}: ${contrast}`)
    assert.equal(await page.locator('.enabled').first().evaluate((element) => getComputedStyle(element).color), success.color)
  }
  await page.emulateMedia({ colorScheme: 'light' })
})

await test('more than a page: twenty rows a screen, and every client once, however they are sorted', async () => {
  await admin.query("SELECT mogo.mogo_add_client('page ' || i, CASE WHEN i % 3 = 0 THEN now() + i * interval '1 day' END) FROM generate_series(1, 45) AS i")
  await admin.query("SELECT mogo.mogo_disable_client(client_id) FROM mogo.mogo_clients WHERE client_name LIKE 'page %7'")
  await page.setViewportSize({ width: 1280, height: 800 })
  await page.goto(web.origin)
  assert.equal(await page.locator('.clients tbody tr').count(), 20)
  const last = await page.locator('.clients tbody tr').last().boundingBox()
  assert.ok(last.y + last.height <= 800, `the twentieth row ends at ${last.y + last.height}`)
  await picture(page, 'clients')
  const all = (await admin.query('SELECT client_name FROM mogo.mogo_clients')).rows.map(({ client_name: name }) => name)
  const next = page.locator('footer nav').getByText('Next')
  for (const column of ['Name', 'Client ID', 'Status', 'Secrets', 'Next end', 'Last use']) {
    const orders = []
    for (const order of ['first click', 'second click']) {
      await page.locator('.clients thead').getByText(column).click()
      await page.waitForURL(/sort=/)
      const seen = await names(page)
      for (;;) {
        if (await next.getAttribute('href') === null) break
        const before = page.url()
        await next.click()
        await page.waitForURL((url) => url.href !== before)
        seen.push(...await names(page))
      }
      assert.deepEqual([...seen].sort(), [...all].sort(), `by ${column}, ${order}: each client once`)
      orders.push(seen)
    }
    assert.deepEqual(orders[1], [...orders[0]].reverse(), `by ${column}: the other way round`)
  }
  // The first click on Name turned the order round, in which the list was.
  const lower = all.map((name) => name.toLowerCase()).sort()
  await page.goto(web.origin)
  assert.deepEqual((await names(page)).map((name) => name.toLowerCase()).slice(0, 5), lower.slice(0, 5))
  const firstPage = await names(page)
  await next.click()
  await page.waitForURL(/after=/)
  await page.getByRole('link', { name: 'Previous' }).click()
  await page.waitForURL(/before=/)
  assert.deepEqual(await names(page), firstPage)
  const soonest = await value('SELECT client_name FROM mogo.mogo_clients ORDER BY next_expiry LIMIT 1')
  await page.goto(`${web.origin}/?sort=end`)
  assert.equal((await names(page))[0], soonest)
})

await test('a client is found by a part of its id', async () => {
  await page.getByLabel('Find a client by name or id').fill(first.id.slice(9, 23).toUpperCase())
  await page.keyboard.press('Enter')
  await page.waitForURL(/find=/)
  assert.deepEqual(await names(page), [first.name])
})

await test('a client with an external id is found by it, and its file and dialog say the same id', async () => {
  const external = 'Partner/0815'
  await admin.query("SELECT mogo.mogo_add_client('Has an external id', external_id => $1)", [external])
  await page.goto(`${web.origin}/?find=${encodeURIComponent('PARTNER/')}`)
  await page.getByRole('link', { name: 'Has an external id' }).click()
  await page.locator('dd', { hasText: external }).waitFor()
  await button(page, 'Rotate the secret').click()
  await button(page, 'Rotate').click()
  await page.locator('#once').waitFor()
  secrets.push(await shown(page, 'Client Secret'))
  assert.equal(await shown(page, 'Client ID'), external)
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Download JSON').click()])
  assert.equal(JSON.parse(await readFile(await download.path(), 'utf8')).clientId, external)
  await button(page, 'Close').click()
  await gone(page)
})

await test('an external id is given, changed and taken away; one that is taken is refused', async () => {
  const external = async () => (await admin.query("SELECT external_id FROM mogo.mogo_clients WHERE client_name = 'Is given one'")).rows[0].external_id
  await admin.query("SELECT mogo.mogo_add_client('Is given one')")
  await page.goto(`${web.origin}/?find=given`)
  await page.getByRole('link', { name: 'Is given one' }).click()
  for (const id of ['https://client.example/mcp', 'orders', '']) {
    await button(page, 'Change the external ID').click()
    await page.getByRole('textbox', { name: 'External ID' }).fill(id)
    await button(page, 'Save').click()
    await until(async () => await external() === (id || null))
    if (id) await page.locator('dd code', { hasText: id }).waitFor()
  }
  await button(page, 'Change the external ID').click()
  await page.getByRole('textbox', { name: 'External ID' }).fill('Partner/0815')
  await button(page, 'Save').click()
  await page.locator('dialog[open] output.error', { hasText: 'already exists' }).waitFor()
  assert.equal(await external(), null)
  await page.locator('dialog[open]').getByRole('button', { name: 'Close' }).click()
})

await test('an added client is shown, beyond the first page and whatever was searched for', async () => {
  for (const [path, name] of [['/', 'zz the last by its name'], ['/?find=page', 'not found by that'], ['/?sort=end', 'in the middle']]) {
    await page.goto(web.origin + path)
    await add(page, name)
    await button(page, 'Download JSON').click()
    await button(page, 'Close').click()
    const box = await row(page, name).boundingBox()
    assert.ok(box && box.y >= 0 && box.y + box.height <= 800, `${name} is not on the screen`)
    assert.equal(await page.locator('.added').count(), 1)
  }
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
  await phone.waitForSelector('.clients')
  await picture(phone, 'phone')
  assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'the page is wider than the screen')
  await tabTo('ADD CLIENT')
  await phone.keyboard.press('Enter')
  assert.equal(await focused(), 'client_name')
  await phone.keyboard.type('By keyboard')
  await phone.keyboard.press('Enter')
  await phone.locator('#once').waitFor()
  await picture(phone, 'phone-credentials')
  assert.equal(await focused(), 'Download JSON')
  secrets.push(await shown(phone, 'Client Secret'))
  await Promise.all([phone.waitForEvent('download'), phone.keyboard.press('Enter')])
  await phone.keyboard.press('Escape')
  await gone(phone)
  await row(phone, 'By keyboard').waitFor()
  await phone.context().close()
})

await test('a role without the rights gets a page that says so and what to do, and can sign out', async () => {
  const other = await open()
  await signIn(other, 'test_service')
  await other.getByText('test_service may not see or manage the clients of this database.').waitFor()
  assert.equal(await other.getByLabel('Password').count(), 0)
  assert.equal(await other.locator('pre').textContent(), "SELECT mogo.mogo_grant_admin('test_service');")
  assert.equal(await button(other, 'ADD CLIENT').count(), 0)
  await other.goto(`${web.origin}/client/${first.id}`)
  assert.ok(!(await other.content()).includes(first.name))
  await button(other, 'Sign out').click()
  await other.getByLabel('Password').waitFor()
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
  assert.equal(await value("SELECT count(*)::int FROM mogo.mogo_clients WHERE client_name = 'Forged'"), 0)
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

const consoles = "FROM pg_stat_activity WHERE application_name = 'mogocred admin console'"
async function endSessions () {
  await superuser.query(`SELECT pg_terminate_backend(pid) ${consoles}`)
  await until(async () => !(await superuser.query(`SELECT ${consoles}`)).rowCount)
}

await test('a session that has ended is said, and that nothing was done', async () => {
  await page.goto(web.origin)
  await endSessions()
  await button(page, 'ADD CLIENT').click()
  await page.getByRole('textbox', { name: 'API Client Name' }).fill('Too late')
  await button(page, 'Save').click()
  await page.getByText('Your session has ended, and nothing was done. Sign in and do it again.').waitFor()
  assert.equal(await value("SELECT count(*)::int FROM mogo.mogo_clients WHERE client_name = 'Too late'"), 0)
  await signIn(page)
  await page.locator('.clients').waitFor()
  await endSessions()
  await page.reload()
  await page.getByText('Your session has ended. Sign in again.').waitFor()
  await signIn(page)
  await page.locator('.clients').waitFor()
})

await test('a connection that ends while it changes something: nobody is told that it was or was not done', async () => {
  await visit(page, first.name)
  await superuser.query('BEGIN')
  await superuser.query('SELECT FROM mogo.mogo_client WHERE client_id = $1 FOR UPDATE', [first.id])
  await button(page, 'Disable').click()
  // Not in that transaction, which would see the same activity for ever.
  await until(async () => (await admin.query(`SELECT ${consoles} AND wait_event_type = 'Lock'`)).rowCount)
  await superuser.query(`SELECT pg_terminate_backend(pid) ${consoles}`)
  await page.getByText('The connection ended. Whether that was done is not known: sign in and look.').waitFor()
  await superuser.query('ROLLBACK')
  await page.goto(web.origin)
  await signIn(page)
  await page.locator('.clients').waitFor()
})

await test('signed out: the connection is closed, and going back shows nothing', async () => {
  await button(page, 'Sign out').click()
  await page.getByLabel('Password').waitFor()
  await until(async () => !(await superuser.query("SELECT FROM pg_stat_activity WHERE application_name = 'mogocred admin console'")).rowCount)
  await page.goBack()
  assert.equal(await page.locator('.clients').count(), 0)
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

await test('what keeps it from starting is said in one line', async () => {
  const lines = async (directory, env, ...options) => {
    const child = spawn(process.execPath, [...options, 'server.mjs'],
      { cwd: directory, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'], timeout: 30000 })
    const [said, [code, signal]] = await Promise.all([child.stderr.toArray(), once(child, 'exit')])
    return [code ?? signal, said.join('')]
  }
  const port = new URL(web.origin).port
  const old = 'data:text/javascript,Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.4" } })'
  for (const [directory, name] of [[consoleDirectory, 'admin console'], [serviceDirectory, 'token service']]) {
    assert.deepEqual(await lines(directory, { PORT: port, PGUSER: 'test_service' }), [1, `${name}: port ${port} is taken, choose another one with PORT\n`])
    assert.deepEqual(await lines(directory, { PORT: 'x' }), [1, `${name}: PORT is not a port number\n`])
    assert.deepEqual(await lines(directory, {}, '--import', old), [1, `${name}: Node.js 20.11 or newer is needed, this is 18.20.4\n`])
    const bare = await mkdtemp(join(tmpdir(), 'bare-'))
    for (const file of await readdir(directory)) if (/\.mjs$|^package.json$/.test(file)) await copyFile(join(directory, file), join(bare, file))
    assert.deepEqual(await lines(bare, {}), [1, `${name}: its packages are missing, run: npm ci\n`])
    await rm(bare, { recursive: true })
  }
  assert.match((await lines(serviceDirectory, { PGUSER: 'test_service', PGPASSWORD: 'wrong' }))[1], /^token service: password authentication failed for user "test_service"\n$/)
  assert.match((await lines(serviceDirectory, { PGPORT: '1' }))[1], /^token service: .*ECONNREFUSED.*\n$/)
  assert.match((await lines(serviceDirectory, { PGUSER: 'test_service', PGDATABASE: 'postgres' }))[1], /^token service: this database has no extension mogocred in a schema named mogo\n$/)
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
