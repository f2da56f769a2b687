// The token service as its clients see it: by hand, and through a published OAuth client.
// Usage: node token-service.mjs DIRECTORY-OF-THE-EXAMPLE
import assert from 'node:assert/strict'
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose'
import * as oauth from 'openid-client'
import { addClient, admin, end, secrets, start, superuser, test, until } from './harness.mjs'

const service = await start(process.argv[2], { PGUSER: 'test_service' })
const issuer = service.origin
const endpoint = `${issuer}/api/v1/oauth2/token`
const client = await addClient('Token client', { scopes: ['read', 'write'] })

// Posts a form to the endpoint.
async function post (form, { query = '?grant_type=client_credentials', headers = {} } = {}) {
  const response = await fetch(endpoint + query, { method: 'POST', headers, body: form && new URLSearchParams(form) })
  return { status: response.status, headers: response.headers, body: await response.json() }
}
const form = (of = client) => ({ client_id: of.id, client_secret: of.secret })
const basic = (id, secret) => ({ headers: { authorization: `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}` } })
const fails = ({ status, body, headers }, expected, error) => {
  assert.equal(status, expected)
  assert.deepEqual(Object.keys(body), ['error', 'error_description', 'error_uri'])
  assert.equal(body.error, error)
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(headers.get('www-authenticate')?.split(' ')[0], status === 401 ? 'Basic' : undefined)
}

await test('form fields, grant_type in the query: the product\'s answer', async () => {
  const { status, body, headers } = await post(form())
  assert.equal(status, 200)
  assert.deepEqual(Object.keys(body).sort(), ['access_token', 'expires_in', 'scope', 'token_type'])
  assert.equal(body.token_type, 'Bearer')
  assert.ok(body.expires_in > 35900 && body.expires_in < 36000, `expires_in ${body.expires_in}`)
  assert.equal(headers.get('cache-control'), 'no-store')
})

await test('form fields, grant_type among them', async () => {
  assert.equal((await post({ grant_type: 'client_credentials', ...form() }, { query: '' })).status, 200)
})

await test('Basic, without a form and with one', async () => {
  assert.equal((await post(null, basic(client.id, client.secret))).status, 200)
  assert.equal((await post({ grant_type: 'client_credentials' }, { query: '', ...basic(client.id, client.secret) })).status, 200)
  const coded = client.secret.replaceAll('-', '%2D')
  assert.equal((await post(null, { headers: { authorization: `bAsIc ${btoa(`${client.id}:${coded}`)}` } })).status, 200)
})

await test('the token is a signed JWT with kid, checked with the published keys', async () => {
  const { body } = await post(form())
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  const { payload, protectedHeader } = await jwtVerify(body.access_token, keys, { issuer, audience: issuer, typ: 'at+jwt' })
  assert.match(protectedHeader.kid, /^[\w-]{43}$/)
  assert.equal(protectedHeader.alg, 'ES256')
  assert.equal(payload.sub, client.id)
  assert.equal(payload.client_id, client.id)
  assert.equal(payload.scope, 'read write')
  assert.equal(payload.exp - payload.iat, 36000)
})

// The hashes were made by libxcrypt and Python's hashlib.
await test('imported clients: their own id in the token, and a native hash after the first one', async () => {
  const imported = [
    ['https://client.example/mcp', 'bcrypt', '$2b$05$abcdefghijklmnopqrstuuD3mHdCr44zlIZ.VZCaYRpfQhXMYnEo.', 'correct horse battery'],
    ['orders:eu', 'pbkdf2', '$pbkdf2-sha256$i=1,l=16$++++/w$3EtLnvtDOUaLWrQGfG0wxw', 'imported secret 37']
  ]
  for (const [id, algorithm, stored, secret] of imported) {
    secrets.push(secret)
    await admin.query('SELECT mogo.mogo_import_client($1, $1::text, $2, $3, generated => true)', [id, algorithm, stored])
    const kept = async () => (await admin.query('SELECT algorithm FROM mogo.mogo_secrets WHERE client_name = $1', [id])).rows[0].algorithm
    assert.equal(await kept(), algorithm)
    const coded = [id, secret].map((part) => encodeURIComponent(part).replaceAll('%20', '+'))
    const { body } = await (algorithm === 'bcrypt' ? post({ client_id: id, client_secret: secret }) :
      post(null, { headers: { authorization: `Basic ${btoa(coded.join(':'))}` } }))
    const { client_id: claim, sub } = decodeJwt(body.access_token)
    assert.deepEqual([claim, sub], [id, id])
    await until(async () => await kept() === 'sha256')
    assert.equal((await post({ client_id: id, client_secret: secret })).status, 200)
    fails(await post({ client_id: id, client_secret: stored }), 401, 'invalid_client')
  }
})

await test('a wrong pair: 401 invalid_client and WWW-Authenticate', async () => {
  for (const [id, secret] of [[client.id, 'wrong'], ['no-uuid', client.secret], ['00000000-0000-4000-8000-000000000000', client.secret]]) {
    fails(await post({ client_id: id, client_secret: secret }), 401, 'invalid_client')
    fails(await post(null, basic(id, secret)), 401, 'invalid_client')
  }
  fails(await post({ client_id: client.id }), 401, 'invalid_client')
  fails(await post(null, { headers: { authorization: 'Basic %%%' } }), 401, 'invalid_client')
})

await test('what is no proper request: 400', async () => {
  fails(await post(form(), { query: '?grant_type=password' }), 400, 'unsupported_grant_type')
  fails(await post({ grant_type: 'authorization_code', ...form() }, { query: '' }), 400, 'unsupported_grant_type')
  fails(await post(form(), { query: '' }), 400, 'invalid_request')
  fails(await post(form(), { query: '?grant_type=client_credentials&client_secret=x' }), 400, 'invalid_request')
  fails(await post(form(), basic(client.id, client.secret)), 400, 'invalid_request')
  fails(await post([...Object.entries(form()), ['client_id', client.id]]), 400, 'invalid_request')
  fails(await post({ ...form(), pad: 'x'.repeat(20000) }), 400, 'invalid_request')
  const json = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(form()) }
  assert.equal((await fetch(`${endpoint}?grant_type=client_credentials`, json)).status, 400)
  assert.equal((await fetch(endpoint)).status, 404)
})

await test('scopes: a part of the client\'s own, never more', async () => {
  const { body } = await post({ ...form(), scope: 'read' })
  assert.equal(body.scope, 'read')
  assert.equal(decodeJwt(body.access_token).scope, 'read')
  fails(await post({ ...form(), scope: 'read admin' }), 400, 'invalid_scope')
  const none = await post(form(await addClient('No scopes')))
  assert.ok(!('scope' in none.body) && !('scope' in decodeJwt(none.body.access_token)))
})

await test('a client with allowed addresses', async () => {
  const bound = await addClient('Bound to an address')
  await admin.query("SELECT mogo.mogo_update_client($1, allowed_cidrs => '{10.0.0.0/8}')", [bound.id])
  fails(await post(form(bound)), 401, 'invalid_client')
  await admin.query("SELECT mogo.mogo_update_client($1, allowed_cidrs => '{127.0.0.1}')", [bound.id])
  assert.equal((await post(form(bound))).status, 200)
})

await test('no token outlives its secret', async () => {
  const short = await addClient('Short', { expires: new Date(Date.now() + 3600_000) })
  assert.ok((await post(form(short))).body.expires_in <= 3600)
})

await test('a token is handed out again until a notice drops its client', async () => {
  const other = await addClient('Another client')
  const token = async (of) => (await post(form(of))).body.access_token
  // Once more where a notice of what was done before comes in between.
  await until(async () => {
    await until(async () => await token(client) === await token(client) && await token(other) === await token(other))
    const [mine, others] = [await token(client), await token(other)]
    await admin.query("SELECT mogo.mogo_update_client($1, metadata => '{\"changed\": true}')", [client.id])
    await until(async () => await token(client) !== mine)
    return await token(other) === others
  })
})

await test('a lost LISTEN connection drops everything, and is made again', async () => {
  const token = async () => (await post(form())).body.access_token
  const listening = "FROM pg_stat_activity WHERE application_name = 'mogocred token service, listening' AND usename = 'test_service'"
  const before = await token()
  const { rows } = await superuser.query(`SELECT pid, pg_terminate_backend(pid) ${listening}`)
  assert.equal(rows.length, 1)
  await until(async () => await token() !== before)
  await until(async () => (await superuser.query(`SELECT pid ${listening}`)).rows.some(({ pid }) => pid !== rows[0].pid))
  await until(async () => await token() === await token())
})

await test('the database says no to everything: 503, and nothing about why', async () => {
  await superuser.query("SELECT mogo.mogo_revoke_access('test_service')")
  fails(await post(form()), 503, 'server_error')
  assert.match(service.output, /a request failed: 42501/)
  await superuser.query("SELECT mogo.mogo_grant_verifier('test_service')")
  assert.equal((await post(form())).status, 200)
})

for (const [name, method] of [['client_secret_basic', oauth.ClientSecretBasic], ['client_secret_post', oauth.ClientSecretPost]]) {
  await test(`openid-client, ${name}: gets a token, rotates, is refused after a revocation at once`, async () => {
    const first = await addClient(`openid-client ${name}`, { scopes: ['read'] })
    const discover = (secret) => oauth.discovery(new URL(issuer), first.id, undefined, method(secret),
      { algorithm: 'oauth2', execute: [oauth.allowInsecureRequests] })
    const config = await discover(first.secret)
    const tokens = await oauth.clientCredentialsGrant(config, { scope: 'read' })
    assert.equal(tokens.token_type, 'bearer')
    assert.equal(tokens.scope, 'read')

    const { rows: [second] } = await admin.query("SELECT * FROM mogo.mogo_rotate_secret($1, '1 hour')", [first.id])
    secrets.push(second.client_secret)
    await oauth.clientCredentialsGrant(config)
    const rotated = await discover(second.client_secret)
    await oauth.clientCredentialsGrant(rotated)

    await admin.query('SELECT mogo.mogo_revoke_secret($1)', [first.secretId])
    // A 401 with a challenge reaches openid-client's caller as that challenge.
    await assert.rejects(oauth.clientCredentialsGrant(config), { status: 401 })
    await oauth.clientCredentialsGrant(rotated)
    await admin.query('SELECT mogo.mogo_disable_client($1)', [first.id])
    await assert.rejects(oauth.clientCredentialsGrant(rotated), { status: 401 })
  })
}

await test('the service has printed no secret', () => {
  assert.ok(service.output.includes('token service: '))
  for (const secret of secrets) assert.ok(!service.output.includes(secret))
})

await test('it stops when it is told to', async () => {
  assert.deepEqual(await service.stop(), [0, null])
})
await Promise.all([admin.end(), superuser.end()])
end()
