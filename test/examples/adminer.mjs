// An SQL admin tool with no code of ours: Adminer, as Debian packages and configures it,
// in a real browser. Plays what doc/admin-tools.md says.
// Usage: node adminer.mjs DIRECTORY-FOR-PHP-SESSIONS [directory for pictures]
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { launch } from './browser.mjs'
import { admin, end, secrets, superuser, test, until } from './harness.mjs'

const [sessions, pictures] = process.argv.slice(2)
const probe = createServer().listen(0, '127.0.0.1')
await until(() => probe.address())
const { port } = probe.address()
await new Promise((resolve) => probe.close(resolve))
const origin = `http://127.0.0.1:${port}/`
const php = spawn('php', ['-d', `session.save_path=${sessions}`, '-S', `127.0.0.1:${port}`, '/etc/adminer/conf.php'], { stdio: ['ignore', 'pipe', 'pipe'] })
let log = ''
php.stdout.on('data', (data) => { log += data })
php.stderr.on('data', (data) => { log += data })
await until(() => fetch(origin).then(() => true, () => false))

// The view's first page is to have all that is added here.
await admin.query('SELECT mogo.mogo_remove_client(client_id) FROM mogo.mogo_clients')
const browser = await launch()
const page = await (await browser.newContext({ viewport: { width: 1200, height: 800 } })).newPage()
page.setDefaultTimeout(15000)
const addresses = []
page.on('request', (request) => addresses.push(request.url()))
const picture = (name) => pictures && page.screenshot({ path: `${pictures}/${name}.png` })
const verify = async (id, secret) => (await admin.query('SELECT mogo.mogo_verify($1, $2) AS ok', [id, secret])).rows[0].ok
const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'

// Types into Adminer's SQL editor and executes it. Gives the content's text.
async function execute (sql) {
  await page.getByRole('link', { name: 'SQL command' }).click()
  await page.locator('pre.sqlarea').click()
  await page.keyboard.type(sql)
  await page.getByRole('button', { name: 'Execute' }).click()
  await page.locator('#content table, #content .message, #content .error').first().waitFor()
  return page.locator('#content').innerText()
}

await test('the administrator\'s role signs in and picks the schema', async () => {
  await page.goto(origin)
  await page.locator('[name="auth[driver]"]').selectOption('pgsql')
  await page.locator('[name="auth[server]"]').fill(`${process.env.PGHOST}:${process.env.PGPORT}`)
  await page.locator('[name="auth[username]"]').fill('test_admin')
  await page.locator('[name="auth[password]"]').fill(process.env.PGPASSWORD)
  await page.locator('[name="auth[db]"]').fill(process.env.PGDATABASE)
  await page.getByRole('button', { name: 'Login' }).click()
  await page.locator('#menu select[name=ns]').selectOption('mogo')
  await page.getByRole('heading', { name: 'Schema: mogo' }).waitFor()
})

await test('SQL command: adds a client and shows its credentials', async () => {
  await execute("SELECT * FROM mogo.mogo_add_client('From Adminer')")
  const cells = await page.locator('#content table td').allInnerTexts()
  await picture('adminer-sql')
  assert.equal(cells[0], 'From Adminer')
  secrets.push(cells[2])
  assert.equal(await verify(cells[1], cells[2]), true)
})

await test('SQL command: the file', async () => {
  const text = await execute("SELECT mogo.mogo_credentials_json(c) FROM mogo.mogo_add_client('File from Adminer') AS c")
  const [, file] = /(\{\s*"clientName"[^}]*\})/.exec(text)
  const { clientName, clientId, clientSecret } = JSON.parse(file)
  assert.equal(clientName, 'File from Adminer')
  secrets.push(clientSecret)
  assert.equal(await verify(clientId, clientSecret), true)
})

await test('SQL command: a name that exists is an error with the name in it', async () => {
  assert.match(await execute("SELECT * FROM mogo.mogo_add_client('From Adminer')"), /client name "From Adminer" already exists/)
})

await test('the Call form: the same without SQL', async () => {
  await page.locator('#breadcrumb').getByRole('link', { name: 'mogo', exact: true }).click()
  await page.getByRole('link', { name: 'mogo_add_client', exact: true }).click()
  await page.locator('[name="fields[client_name]"]').fill("By Adminer's form")
  await page.locator('[name="function[expires_at]"]').selectOption('SQL')
  await page.locator('[name="fields[expires_at]"]').fill('NULL')
  await page.locator('[name="fields[scopes]"]').fill('{read,write}')
  await page.locator('.jush-js[contenteditable]').click()
  await page.keyboard.type('{"tier": 1}')
  await page.locator('[name="function[external_id]"]').selectOption('SQL')
  await page.locator('[name="fields[external_id]"]').fill('NULL')
  await page.locator('[name="fields[allowed_cidrs]"]').fill('{}')
  await page.getByRole('checkbox').check() // with_secret
  await picture('adminer-form')
  await page.getByRole('button', { name: 'Call' }).click()
  const text = await page.locator('#content table td').first().innerText()
  const [, name, id, secret] = new RegExp(`^\\("(.*)",(${uuid}),(${uuid}),`).exec(text) ?? assert.fail(text)
  await picture('adminer-call')
  secrets.push(secret)
  assert.equal(name, "By Adminer's form")
  assert.equal(await verify(id, secret), true)
  const { rows: [row] } = await admin.query('SELECT scopes, metadata FROM mogo.mogo_clients WHERE client_id = $1', [id])
  assert.deepEqual(row, { scopes: ['read', 'write'], metadata: { tier: 1 } })
})

await test('the view mogo_clients lists the clients, with no secret and no hash', async () => {
  await page.locator('#menu').getByRole('link', { name: 'select', exact: true }).nth(await page.locator('#tables li').evaluateAll((items) => items.findIndex((item) => item.innerText.includes('mogo_clients')))).click()
  await page.getByText('From Adminer', { exact: true }).waitFor()
  const text = await page.locator('#content').innerText()
  for (const secret of secrets) assert.ok(!text.includes(secret))
  assert.ok(!text.includes('sha256'))
})

await test('the tables themselves stay closed', async () => {
  assert.match(await execute('SELECT live FROM mogo.mogo_client'), /permission denied for table mogo_client/)
})

await test('no secret was in an address, in PHP\'s log or in its session files', async () => {
  assert.ok(secrets.length === 3 && addresses.length > 10 && log.includes('Accepted'))
  const files = await Promise.all((await readdir(sessions)).map((name) => readFile(`${sessions}/${name}`, 'latin1')))
  assert.ok(files.some((file) => file.includes('From Adminer')), 'the history of statements is in a session file')
  for (const secret of secrets) assert.ok(!addresses.some((address) => address.includes(secret)) && !log.includes(secret) && !files.some((file) => file.includes(secret)))
})

await browser.close()
php.kill()
await Promise.all([admin.end(), superuser.end()])
end()
