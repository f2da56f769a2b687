// mogocred through node-postgres (pg). Prints "ok NAME" or "FAILED NAME: why" for each of
// the ten things that every driver's test does (see ../README.md). Connects as PG* says.
import { once } from 'node:events'
import { isDeepStrictEqual as same } from 'node:util'
import { createRequire } from 'node:module'
import pg from 'pg'

const name = 'driver node-postgres'
const expiry = new Date('2035-01-01T00:00:00Z')
const client = new pg.Client()
await client.connect()
console.log(`# ${createRequire(import.meta.url)('pg/package.json').version}`)

const report = (what, ok, got) => console.log(ok ? `ok ${what}` : `FAILED ${what}: ${JSON.stringify(got)}`)
const row = async (sql, ...values) => (await client.query(sql, values)).rows[0]
const value = async (sql, ...values) => Object.values(await row(sql, ...values))[0]

const added = await row('SELECT * FROM mogo_add_client($1, $2, $3, $4)', name, expiry, ['read', 'write'], { tier: 1 })
const { client_id: id, client_secret: secret, secret_id: secretId } = added
report('add', added.client_name === name && id.length === 36 && secret.length === 36 &&
  same(added.expires_at, expiry) && added.issued_at instanceof Date, "the row's types")

const file = await value('SELECT mogo_credentials_json($1, $2, $3)::text', name, id, secret)
report('json', file === `{\n  "clientName": "${name}",\n  "clientId": "${id}",\n  "clientSecret": "${secret}"\n}` &&
  same(Object.keys(JSON.parse(file)), ['clientName', 'clientId', 'clientSecret']), 'the file')

// JavaScript has no type for a uuid: the cast makes the parameter one.
const asUuid = 'SELECT mogo_verify($1::uuid, $2)'
const asText = 'SELECT mogo_verify($1, $2)'
report('verify uuid', await value(asUuid, id, secret) === true && await value(asUuid, id, 'wrong') === false)
report('verify text', await value(asText, id, secret) === true && await value(asText, 'no-uuid', secret) === false)
report('null', await value(asUuid, null, secret) === false && await value(asText, id, null) === false)

const prepared = []
for (let i = 0; i < 10; i++) {
  const { rows } = await client.query({ name: 'check', text: asText, values: [id, i % 2 ? secret : 'wrong'] })
  prepared.push(rows[0].mogo_verify)
}
report('prepared', same(prepared, Array(5).fill([false, true]).flat()), prepared)

const expected = { client_id: id, client_name: name, scopes: ['read', 'write'], metadata: { tier: 1 }, secret_id: secretId, expires_at: expiry }
const columns = 'client_id, client_name, scopes, metadata, secret_id, expires_at'
const authenticate = `SELECT ${columns} FROM mogo_authenticate($1, $2)`
let found = await row(authenticate, id, secret)
report('authenticate', same({ ...found }, expected) && await row(authenticate, id, 'wrong') === undefined, found)

const header = (ofSecret) => `Basic ${btoa(`${id}:${ofSecret}`)}`
const basic = `SELECT ${columns} FROM mogo_authenticate_basic($1)`
found = await row(basic, header(secret))
report('basic', same({ ...found }, expected) && await row(basic, header('wrong')) === undefined, found)

const error = await row('SELECT * FROM mogo_add_client($1)', name).catch((e) => e)
report('sqlstate', error?.code === '23505' && error.message.includes(name), error?.code)

await client.query('LISTEN mogocred')
const notice = once(client, 'notification') // the runner ends a test that waits for too long
const other = new pg.Client()
await other.connect()
await other.query('SELECT mogo_disable_client($1)', [id])
await other.end()
const [{ channel, payload }] = await notice
report('listen', channel === 'mogocred' &&
  same(JSON.parse(payload), { action: 'client_disabled', clientId: id, secretId: null }), payload)
await client.end()
