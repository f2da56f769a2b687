// The OpenID provider through a published client library: secrets, signed assertions, scopes,
// introspection. Usage: node oidc-provider.mjs DIRECTORY-OF-THE-EXAMPLE
import assert from 'node:assert/strict'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import * as oauth from 'openid-client'
import { addClient, admin, end, secrets, start, superuser, test } from './harness.mjs'

const provider = await start(process.argv[2], { PGUSER: 'test_service' })
const issuer = provider.origin

// What openid-client needs to act as this client.
const act = (id, proof) => oauth.discovery(new URL(issuer), id, undefined, proof, { execute: [oauth.allowInsecureRequests] })
const token = (config, scope) => oauth.clientCredentialsGrant(config, scope && { scope })
const update = (id, set) => admin.query(`SELECT mogo.mogo_update_client($1, ${set})`, [id])
const refused = (config) => assert.rejects(token(config), { status: 401 })

// A client whose public key is in its metadata, and the private key.
async function addKeyClient (name, scopes = []) {
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const jwk = { ...await exportJWK(publicKey), kid: name, alg: 'ES256', use: 'sig' }
  const { rows } = await admin.query('SELECT * FROM mogo.mogo_add_client($1, scopes => $2, metadata => $3, with_secret => false)',
    [name, scopes, { jwks: { keys: [jwk] }, token_endpoint_auth_signing_alg: 'ES256' }])
  return { id: rows[0].client_id, key: { key: privateKey, kid: name } }
}

const api = await addClient('The API', { scopes: ['introspect'] })
const asApi = await act(api.id, oauth.ClientSecretBasic(api.secret))

for (const [name, method] of [['client_secret_basic', oauth.ClientSecretBasic], ['client_secret_post', oauth.ClientSecretPost]]) {
  await test(`${name}: a token that introspects, a rotation, and a revocation at once`, async () => {
    const client = await addClient(`oidc ${name}`, { scopes: ['read', 'write'] })
    const config = await act(client.id, method(client.secret))
    const { access_token, expires_in, token_type, scope } = await token(config, 'read')
    assert.equal(token_type, 'bearer')
    assert.equal(scope, 'read')
    assert.ok(expires_in > 590 && expires_in <= 600)
    for (const who of [config, asApi]) {
      const found = await oauth.tokenIntrospection(who, access_token)
      assert.equal(found.active, true)
      assert.equal(found.client_id, client.id)
      assert.equal(found.scope, 'read')
      assert.equal(found.iss, issuer)
      assert.equal(found.aud, 'urn:mogocred:api')
    }

    const { rows: [second] } = await admin.query("SELECT * FROM mogo.mogo_rotate_secret($1, '1 hour')", [client.id])
    secrets.push(second.client_secret)
    await token(config)
    const rotated = await act(client.id, method(second.client_secret))
    await token(rotated)
    await admin.query('SELECT mogo.mogo_revoke_secret($1)', [client.secretId])
    await refused(config)
    await token(rotated)
    await refused(await act(client.id, method('wrong')))
  })
}

await test('a right secret in the header is its own client\'s, whatever else the request names', async () => {
  const [client, victim] = [await addClient('oidc header'), await addClient('oidc victim', { scopes: ['read'] })]
  const post = async (id, secret, form) => (await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${id}:${secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...form })
  })).status
  assert.equal(await post(client.id, client.secret, {}), 200)
  assert.equal(await post(victim.id, client.secret, {}), 401)
  assert.equal(await post(client.id, client.secret, { client_id: victim.id }), 400)
  assert.equal(await post(client.id, client.secret, { client_id: victim.id, client_secret: client.secret }), 400)
  assert.equal(await post('00000000-0000-4000-8000-000000000000', client.secret, {}), 401)
})

await test('private_key_jwt: keys from the metadata, which count from the next request', async () => {
  const client = await addKeyClient('oidc key', ['read'])
  const config = await act(client.id, oauth.PrivateKeyJwt(client.key))
  const { access_token } = await token(config, 'read')
  assert.equal((await oauth.tokenIntrospection(config, access_token)).scope, 'read')
  // another client's key, and a secret
  const other = await addKeyClient('oidc other key')
  await refused(await act(client.id, oauth.PrivateKeyJwt({ ...other.key, kid: client.key.kid })))
  const { rows: [secret] } = await admin.query('SELECT * FROM mogo.mogo_add_secret($1)', [client.id])
  secrets.push(secret.client_secret)
  await refused(await act(client.id, oauth.ClientSecretBasic(secret.client_secret)))
  // the key is replaced
  const { rows: [{ metadata }] } = await admin.query('SELECT metadata FROM mogo.mogo_clients WHERE client_id = $1', [other.id])
  await admin.query('SELECT mogo.mogo_update_client($1, metadata => $2)', [client.id, metadata])
  await refused(config)
  await token(await act(client.id, oauth.PrivateKeyJwt(other.key)))
})

await test('private_key_jwt: no assertion counts twice, nor for another provider', async () => {
  const client = await addKeyClient('oidc assertion')
  const assertion = (aud, jti) => new SignJWT({ jti }).setProtectedHeader({ alg: 'ES256', kid: client.key.kid })
    .setIssuer(client.id).setSubject(client.id).setAudience(aud).setIssuedAt().setExpirationTime('1m').sign(client.key.key)
  const post = async (client_assertion) => (await fetch(`${issuer}/token`, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    })
  })).status
  const once = await assertion(issuer, 'once')
  assert.equal(await post(once), 200)
  assert.equal(await post(once), 401)
  assert.equal(await post(await assertion('https://other.example', 'another')), 401)
})

await test('scopes: what is asked for, and no more than the client has', async () => {
  const client = await addClient('oidc scopes', { scopes: ['read', 'write'] })
  const config = await act(client.id, oauth.ClientSecretBasic(client.secret))
  assert.equal((await token(config, 'read write')).scope, 'read write')
  assert.equal((await token(config, 'read admin')).scope, 'read')
  assert.equal((await token(config)).scope, undefined)
  await update(client.id, "scopes => '{admin}'")
  assert.equal((await token(config, 'read admin')).scope, 'admin')
})

await test('introspection: of another client\'s token only with the scope for it', async () => {
  const [client, curious] = [await addClient('oidc token'), await addClient('oidc curious', { scopes: ['read'] })]
  const { access_token } = await token(await act(client.id, oauth.ClientSecretBasic(client.secret)))
  const found = await oauth.tokenIntrospection(await act(curious.id, oauth.ClientSecretBasic(curious.secret)), access_token)
  assert.deepEqual(found, { active: false })
  assert.equal((await oauth.tokenIntrospection(asApi, access_token)).active, true)
  assert.deepEqual(await oauth.tokenIntrospection(asApi, 'no such token'), { active: false })
})

await test('a disabled client is refused at once, by a secret and by a key, and its tokens are not active', async () => {
  const client = await addClient('oidc disabled')
  const keyed = await addKeyClient('oidc disabled key')
  const both = [await act(client.id, oauth.ClientSecretBasic(client.secret)), await act(keyed.id, oauth.PrivateKeyJwt(keyed.key))]
  for (const [i, config] of both.entries()) {
    const { access_token } = await token(config)
    await admin.query('SELECT mogo.mogo_disable_client($1)', [[client, keyed][i].id])
    await refused(config)
    assert.deepEqual(await oauth.tokenIntrospection(asApi, access_token), { active: false })
    await admin.query('SELECT mogo.mogo_enable_client($1)', [[client, keyed][i].id])
    assert.equal((await oauth.tokenIntrospection(asApi, access_token)).active, true)
    await token(config)
  }
})

await test('a client with allowed networks, by a secret and by a key', async () => {
  const client = await addClient('oidc bound')
  const keyed = await addKeyClient('oidc bound key')
  for (const [id, proof] of [[client.id, oauth.ClientSecretBasic(client.secret)], [keyed.id, oauth.PrivateKeyJwt(keyed.key)]]) {
    const config = await act(id, proof)
    await update(id, "allowed_cidrs => '{10.0.0.0/8,2001:db8::/32}'")
    await refused(config)
    await update(id, "allowed_cidrs => '{2001:db8::/32,127.0.0.0/30}'")
    await token(config)
  }
})

await test('an external id: the client calls itself by it, and by nothing else', async () => {
  const client = await addClient('oidc external')
  await update(client.id, "external_id => 'partner/a b'")
  const { access_token } = await token(await act('partner/a b', oauth.ClientSecretBasic(client.secret)))
  assert.equal((await oauth.tokenIntrospection(asApi, access_token)).client_id, 'partner/a b')
  await refused(await act(client.id, oauth.ClientSecretBasic(client.secret)))
  await refused(await act(api.id.toUpperCase(), oauth.ClientSecretBasic(api.secret)))
})

await test('no token outlives its secret', async () => {
  const short = await addClient('oidc short', { expires: new Date(Date.now() + 60_000) })
  assert.ok((await token(await act(short.id, oauth.ClientSecretBasic(short.secret)))).expires_in <= 60)
})

await test('the database says no to everything: 500, and nothing about why', async () => {
  await superuser.query("SELECT mogo.mogo_revoke_access('test_service')")
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${btoa(`${api.id}:${api.secret}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' })
  })
  assert.equal(response.status, 500)
  assert.deepEqual(await response.json(), { error: 'server_error', error_description: 'oops! something went wrong' })
  assert.match(provider.output, /a request failed: 42501/)
  await superuser.query("SELECT mogo.mogo_grant_verifier('test_service')")
  await token(asApi)
})

await test('the provider has printed no secret', () => {
  assert.ok(provider.output.includes('oidc-provider: '))
  for (const secret of secrets) assert.ok(!provider.output.includes(secret))
})

await test('it stops when it is told to', async () => {
  assert.deepEqual(await provider.stop(), [0, null])
})
await Promise.all([admin.end(), superuser.end()])
end()
