// A certified OpenID provider (npm oidc-provider) whose clients live in mogocred: tokens by
// client_credentials, introspection; clients prove themselves by a secret or a signed assertion.
//
// What a client has sent is compared in the database: mogo_authenticate_basic takes the header and
// gives the client too, mogo_authenticate a secret from the form. Where neither says who it is,
// mogo_get_client loads a client by its id. A verifier's role can do all three. No answer is kept
// for another request: a revoked secret or a disabled client counts from the next one.
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { BlockList, isIPv6 } from 'node:net'
import Provider from 'oidc-provider'
import pg from 'pg'

URL.parse ??= (url, base) => URL.canParse(url, base) ? new URL(url, base) : null // Node.js 20 has none

const host = process.env.HOST ?? '127.0.0.1'
const server = createServer().listen(Number(process.env.PORT ?? 3000), host)
await once(server, 'listening')
const origin = `http://${host}:${server.address().port}`
const issuer = process.env.ISSUER ?? origin
const audience = process.env.AUDIENCE ?? 'urn:mogocred:api' // the API that the tokens are for
const LIFETIME = 600 // of a token, in seconds

// --- the database ---------------------------------------------------------------

const pool = new pg.Pool({ application_name: 'mogocred oidc-provider', connectionTimeoutMillis: 5000, query_timeout: 5000 })
// Says what went wrong and never with which values.
const log = (what, error) => console.error(`${what}: ${error?.code ?? error?.name ?? 'unknown error'}`)
pool.on('error', (error) => log('an idle connection ended', error))

// The first row, or undefined. Every value is a bound parameter, every name is qualified. The name
// has each connection prepare the statement once.
const ask = async (name, text, ...values) => (await pool.query({ name, text, values })).rows[0]

// Is the address inside one of these networks (cidr[])? (BlockList: what it lists is a hit.)
function inside (networks, address) {
  const list = new BlockList()
  for (const network of networks) {
    const [prefix, bits] = network.split('/')
    list.addSubnet(prefix, Number(bits), isIPv6(prefix) ? 'ipv6' : 'ipv4')
  }
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

// --- clients --------------------------------------------------------------------

// The provider wants each client to have a secret, although it compares none. Nobody knows this one.
const nobodys = randomBytes(32).toString('base64url')

// A client as the provider wants it (RFC 7591), or undefined. metadata.jwks, where the client has
// it, are the public keys that its assertions are checked with; then it has no use for a secret.
async function findClient (id) {
  const { headers, ip, state } = Provider.ctx
  // A request's first client is the one that asks: what it sent in the header proves it, or does not.
  const header = 'proof' in state ? null : headers.authorization
  state.proof ??= header && (await ask('basic', `SELECT client_id, client_name, scopes, metadata, external_id, secret_id,
    expires_at FROM mogo.mogo_authenticate_basic($1, $2::text)`, header, ip) ?? {})
  const row = header && state.proof.client_id
    ? state.proof
    : await ask('client', `SELECT client_id, client_name, scopes, metadata, external_id, enabled, allowed_cidrs
      FROM mogo.mogo_get_client($1::text)`, id)
  // one client, one id: else the same UUID in capitals would be another client to an API
  if (!row || row.enabled === false || id !== (row.external_id ?? row.client_id)) return undefined
  const jwks = row.metadata.jwks
  // with a secret the database looks at the address
  if (jwks && row.allowed_cidrs?.length && !inside(row.allowed_cidrs, ip)) return undefined
  return {
    client_id: id,
    client_name: row.client_name,
    entitlements: row.scopes.join(' '),
    ...(jwks
      ? { jwks, token_endpoint_auth_method: 'private_key_jwt', token_endpoint_auth_signing_alg: row.metadata.token_endpoint_auth_signing_alg }
      : { client_secret: nobodys, token_endpoint_auth_method: 'client_secret_basic' }) // or _post
  }
}

// Tokens and used assertions are kept in memory; put a database behind this for more than one
// process (every model but Client).
const kept = new Map()
class Adapter {
  constructor (model) { this.model = model }
  async find (id) {
    if (this.model === 'Client') return findClient(id)
    const found = kept.get(`${this.model} ${id}`)
    return found && found.until > Date.now() ? found.payload : undefined
  }

  async upsert (id, payload, expiresIn) {
    for (const [key, { until }] of kept) {
      if (until > Date.now()) break // as good as in order, as they live equally long
      kept.delete(key)
    }
    kept.set(`${this.model} ${id}`, { payload, until: Date.now() + (expiresIn ?? LIFETIME) * 1000 })
  }

  async consume (id) { kept.get(`${this.model} ${id}`).payload.consumed = Math.floor(Date.now() / 1000) }
  async destroy (id) { kept.delete(`${this.model} ${id}`) }
}

// --- the provider ---------------------------------------------------------------

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' })
const provider = new Provider(issuer, {
  adapter: Adapter,
  clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
  // not scope: the provider would have to know all scopes beforehand
  extraClientMetadata: { properties: ['entitlements'] },
  clientDefaults: { grant_types: ['client_credentials'], response_types: [], redirect_uris: [], id_token_signed_response_alg: 'ES256' },
  scopes: [],
  responseTypes: [],
  jwks: { keys: [{ ...key, alg: 'ES256', use: 'sig' }] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  // no token outlives the secret that it was got with
  ttl: { ClientCredentials: (ctx) => Math.max(1, Math.min(LIFETIME, Math.floor(((ctx.state.secretEnds ?? Infinity) - Date.now()) / 1000))) },
  features: {
    devInteractions: { enabled: false },
    userinfo: { enabled: false },
    rpInitiatedLogout: { enabled: false },
    clientCredentials: { enabled: true },
    // a client may look at its own tokens, and one with the scope "introspect" (an API) at all;
    // those of a client that is disabled or gone are not active any more
    introspection: {
      enabled: true,
      allowedPolicy: async (ctx, client, token) =>
        (client.clientId === token.clientId || client.entitlements.split(' ').includes('introspect')) &&
        await provider.Client.find(token.clientId) !== undefined
    },
    // what scopes there are is each client's own affair
    resourceIndicators: {
      enabled: true,
      defaultResource: () => audience,
      getResourceServerInfo: (ctx, resource, client) => ({ audience: resource, scope: client.entitlements, accessTokenFormat: 'opaque' })
    }
  }
})
provider.Client.prototype.compareClientSecret = async function (secret) {
  const { ip, state } = Provider.ctx
  const row = state.proof ??
    await ask('authenticate', 'SELECT secret_id, expires_at FROM mogo.mogo_authenticate($1::text, $2, $3::text)', this.clientId, secret, ip)
  state.secretEnds = row?.expires_at ?? undefined
  return row?.secret_id !== undefined
}
provider.proxy = process.env.TRUST_PROXY === '1' // X-Forwarded-*, only behind a proxy that sets them
provider.on('server_error', (ctx, error) => log('a request failed', error))

server.on('request', provider.callback())
console.log(`oidc-provider: ${origin}/.well-known/openid-configuration`)
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => { server.closeAllConnections(); server.close(() => pool.end()) })
