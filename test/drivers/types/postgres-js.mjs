// mogocred through Postgres.js (postgres). Prints "ok NAME" or "FAILED NAME: why" for each of
// the ten things that every driver's test does (see ../README.md). Connects as PG* says.
import { isDeepStrictEqual as same } from 'node:util'
import { createRequire } from 'node:module'
import postgres from 'postgres'

const name = 'driver Postgres.js'
const expiry = new Date('2035-01-01T00:00:00Z')
const sql = postgres({ max: 1 })
const require = createRequire(import.meta.url)
console.log(`# ${require(require.resolve('postgres').replace(/cjs.*/, 'package.json')).version}`)

const report = (what, ok, got) => console.log(ok ? `ok ${what}` : `FAILED ${what}: ${JSON.stringify(got)}`)
const value = async (query) => Object.values((await query)[0])[0]

const [added] = await sql`SELECT * FROM mogo_add_client(${name}, ${expiry}, ${['read', 'write']}, ${{ tier: 1 }})`
const { client_id: id, client_secret: secret, secret_id: secretId } = added
report('add', added.client_name === name && id.length === 36 && secret.length === 36 &&
  same(added.expires_at, expiry) && added.issued_at instanceof Date, "the row's types")

const file = await value(sql`SELECT mogo_credentials_json(${name}, ${id}, ${secret})::text`)
report('json', file === `{\n  "clientName": "${name}",\n  "clientId": "${id}",\n  "clientSecret": "${secret}"\n}` &&
  same(Object.keys(JSON.parse(file)), ['clientName', 'clientId', 'clientSecret']), 'the file')

// JavaScript has no type for a uuid: the cast makes the parameter one.
const asUuid = (i, s) => value(sql`SELECT mogo_verify(${i}::uuid, ${s})`)
const asText = (i, s) => value(sql`SELECT mogo_verify(${i}, ${s})`)
report('verify uuid', await asUuid(id, secret) === true && await asUuid(id, 'wrong') === false)
report('verify text', await asText(id, secret) === true && await asText('no-uuid', secret) === false)
report('null', await asUuid(null, secret) === false && await asText(id, null) === false)

// Postgres.js prepares every statement once and then executes it.
const prepared = []
for (let i = 0; i < 10; i++) prepared.push(await asText(id, i % 2 ? secret : 'wrong'))
const [{ count }] = await sql`SELECT count(*)::int FROM pg_prepared_statements WHERE statement LIKE 'SELECT mogo_verify($1, $2)'`
report('prepared', same(prepared, Array(5).fill([false, true]).flat()) && count === 1, { prepared, count })

const expected = { client_id: id, client_name: name, scopes: ['read', 'write'], metadata: { tier: 1 }, secret_id: secretId, expires_at: expiry }
const columns = sql(['client_id', 'client_name', 'scopes', 'metadata', 'secret_id', 'expires_at'])
const authenticate = (s) => sql`SELECT ${columns} FROM mogo_authenticate(${id}, ${s})`
let found = await authenticate(secret)
report('authenticate', same({ ...found[0] }, expected) && (await authenticate('wrong')).length === 0, found)

const basic = (s) => sql`SELECT ${columns} FROM mogo_authenticate_basic(${`Basic ${btoa(`${id}:${s}`)}`})`
found = await basic(secret)
report('basic', same({ ...found[0] }, expected) && (await basic('wrong')).length === 0, found)

const error = await sql`SELECT * FROM mogo_add_client(${name})`.catch((e) => e)
report('sqlstate', error.code === '23505' && error.message.includes(name), error.code)

let heard
const notice = new Promise((resolve) => { heard = resolve }) // the runner ends a test that waits for too long
await sql.listen('mogocred', heard)
await sql`SELECT mogo_disable_client(${id})`
report('listen', same(JSON.parse(await notice), { action: 'client_disabled', clientId: id, secretId: null }), await notice)
await sql.end()
