// doc/provisioning.md: the file and the migration, as the page has them, applied again and again.
// Usage: node provisioning.mjs DOC/PROVISIONING.MD DIRECTORY-TO-WORK-IN
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { admin, end, secrets, superuser, test } from './harness.mjs'

const [page, cwd] = process.argv.slice(2)
const [file, invite, migration] = [...readFileSync(page, 'utf8').matchAll(/^```sql\n(.*?)^```$/gms)].map(([, block]) => block)
const env = { ...process.env, PGUSER: 'test_admin' }
const clients = async () => (await admin.query(`SELECT client_name, external_id, scopes, live_secrets FROM mogo.mogo_clients
  WHERE client_name IN ('Billing', 'Turnstile') ORDER BY client_name`)).rows
const records = async () => (await admin.query(`SELECT action FROM mogo.mogo_audit
  WHERE client_name IN ('Billing', 'Turnstile') ORDER BY at`)).rows.map(({ action }) => action)

await test('the SQL file: the first run adds, the next ones change nothing', async () => {
  writeFileSync(`${cwd}/clients.sql`, file)
  const apply = () => execFileSync('psql', ['-X', '-At', '-v', 'ON_ERROR_STOP=1', '-f', 'clients.sql'], { cwd, env, encoding: 'utf8' })
  assert.match(apply(), /^BEGIN\nBilling\|[0-9a-f-]{36}\|t\nTurnstile\|[0-9a-f-]{36}\|t\nCOMMIT\n$/)
  const first = await clients()
  assert.deepEqual(first, [
    { client_name: 'Billing', external_id: 'billing', scopes: ['invoices', 'payments'], live_secrets: 1 },
    { client_name: 'Turnstile', external_id: null, scopes: [], live_secrets: 1 }
  ])
  for (let i = 0; i < 2; i++) assert.match(apply(), /Billing\|[0-9a-f-]{36}\|f\nTurnstile\|[0-9a-f-]{36}\|f\n/)
  assert.deepEqual(await clients(), first)
  assert.deepEqual(await records(), ['client_added', 'client_added'])
})

await test('the owner is invited, and takes up another secret', async () => {
  const { rows: [{ code }] } = await admin.query(invite)
  secrets.push(code)
  const { rows: [{ client_secret: secret }] } = await superuser.query('SELECT client_secret FROM mogo.mogo_accept_invitation($1)', [code])
  secrets.push(secret)
  assert.equal((await clients())[0].live_secrets, 1)
  assert.ok((await admin.query('SELECT mogo.mogo_verify($1, $2) AS right', ['billing', secret])).rows[0].right)
})

await test('a run that adds can hand the secret on, and only that one', async () => {
  const ensure = () => admin.query("SELECT client_secret FROM mogo.mogo_ensure_client('Handed on', external_id => 'handed-on')")
  const [first, second] = [await ensure(), await ensure()].map(({ rows: [row] }) => row.client_secret)
  secrets.push(first)
  assert.equal(second, null)
  assert.ok((await admin.query("SELECT mogo.mogo_verify('handed-on', $1) AS right", [first])).rows[0].right)
})

await test('node-pg-migrate: up once, up again, down', async () => {
  await superuser.query('CREATE SCHEMA deploy AUTHORIZATION test_admin')
  mkdirSync(`${cwd}/migrations`)
  writeFileSync(`${cwd}/migrations/1764115200000_billing.sql`, migration)
  const tool = new URL('../node_modules/node-pg-migrate/bin/node-pg-migrate.js', import.meta.url).pathname
  const migrate = (...what) => execFileSync(process.execPath, [tool, ...what, '--migrations-schema', 'deploy'], { cwd, env, encoding: 'utf8' })
  assert.match(migrate('up'), /billing/)
  assert.deepEqual((await clients())[0].scopes, ['invoices', 'payments', 'refunds'])
  assert.match(migrate('up'), /No migrations to run/)
  migrate('down')
  assert.deepEqual((await clients())[0].scopes, ['invoices', 'payments'])
  assert.deepEqual((await records()).filter((action) => action === 'client_updated').length, 2)
})
await Promise.all([admin.end(), superuser.end()])
end()
