// The Authentication API: POST /api/v1/oauth2/token with grant_type=client_credentials
// (RFC 6749, sections 4.4 and 5). Settings are environment variables, see README.md.
import OAuth2Server from '@node-oauth/oauth2-server'
import express from 'express'
import { authenticate, authenticateBasic, close, connect, listen, log, rehash } from './database.mjs'
import { forget, jwks, tokenFor } from './tokens.mjs'

const { InvalidRequestError, InvalidScopeError, OAuthError, ServerError, UnsupportedGrantTypeError } = OAuth2Server
const GRANT = 'client_credentials'
const FORM = 'application/x-www-form-urlencoded'
let issuer = process.env.ISSUER

// What the OAuth library asks of us, for one request.
function modelFor (req) {
  const address = req.ip?.replace(/%.*/, '')
  const header = req.get('authorization')
  return {
    // Basic goes to the database as it came: its parts are form-urlencoded, which the library ignores.
    async getClient (id, secret) {
      const basic = /^ *basic /i.test(header)
      const row = basic ? await authenticateBasic(header, address) : await authenticate(id, secret, address)
      // Imported, and slow to check: once it is answered, so that no client waits for it.
      if (row?.needs_rehash) req.res.once('finish', () => rehash(...(basic ? [id, secret].map(formDecode) : [id, secret])))
      return row && { id: row.client_id, grants: [GRANT], row }
    },
    getUserFromClient: (client) => ({ id: client.id }),
    // All the client's scopes, or those it asked for.
    validateScope (user, client, wanted) {
      if (wanted?.some((scope) => !client.row.scopes.includes(scope))) throw new InvalidScopeError('Invalid scope: not granted to this client')
      return wanted ?? client.row.scopes
    },
    async generateAccessToken (client, user, scopes) {
      client.token = await tokenFor(client.row, scopes, issuer, process.env.AUDIENCE ?? issuer)
      return client.token.jwt
    },
    saveToken: (token, client, user) => ({
      ...token,
      scope: token.scope.length ? token.scope : undefined,
      accessTokenExpiresAt: client.token.expiresAt,
      client,
      user
    })
  }
}

const formDecode = (text) => decodeURIComponent(text.replaceAll('+', ' '))

// The request as the library wants it. grant_type may stand in the query, nothing else
// may: an address ends up in logs.
function oauthRequest (req) {
  const body = { ...req.body }
  const { grant_type: inQuery } = req.query
  if ([...Object.values(body), inQuery].some(Array.isArray)) throw new InvalidRequestError('Invalid request: a parameter is repeated')
  if ('client_id' in req.query || 'client_secret' in req.query) throw new InvalidRequestError('Invalid request: credentials do not belong into the query')
  if (body.client_secret && req.get('authorization')) throw new InvalidRequestError('Invalid request: more than one way to authenticate')
  if (body.grant_type && inQuery && body.grant_type !== inQuery) throw new InvalidRequestError('Invalid request: two values of `grant_type`')
  body.grant_type ||= inQuery
  if (body.grant_type && body.grant_type !== GRANT) throw new UnsupportedGrantTypeError(`Unsupported grant type: only ${GRANT} is`)
  // With Basic and grant_type in the query there need be no form at all.
  const headers = req.get('content-type') ? req.headers : { ...req.headers, 'content-type': FORM, 'content-length': '0' }
  return new OAuth2Server.Request({ method: req.method, headers, query: {}, body })
}

// RFC 6749, section 5.2. Every 401 names a scheme (RFC 9110, section 15.5.2).
function refuse (res, error) {
  if (!(error instanceof OAuthError)) error = new ServerError(error)
  const status = error.name === 'invalid_client' ? 401 : error.code
  if (status === 401) res.set('WWW-Authenticate', 'Basic realm="Authentication API", charset="UTF-8"')
  if (status >= 500) log('a request failed', error.inner)
  res.status(status).json({
    error: error.name,
    error_description: status >= 500 ? 'The service cannot answer now' : error.message,
    error_uri: 'https://www.rfc-editor.org/rfc/rfc6749#section-5.2'
  })
}

const oauth = new OAuth2Server({ model: modelFor({ get () {} }) })
const app = express()
app.disable('x-powered-by')
app.set('trust proxy', process.env.TRUST_PROXY ?? false)
app.use((req, res, next) => { res.set({ 'Cache-Control': 'no-store', Pragma: 'no-cache' }); next() })

app.post('/api/v1/oauth2/token', express.urlencoded({ extended: false, limit: '16kb' }), async (req, res) => {
  const response = new OAuth2Server.Response()
  await oauth.token(oauthRequest(req), response, { model: modelFor(req) })
  res.json(response.body)
})
app.get('/.well-known/jwks.json', (req, res) => res.json(jwks))
// RFC 8414
app.get('/.well-known/oauth-authorization-server', (req, res) => res.json({
  issuer,
  token_endpoint: `${issuer}/api/v1/oauth2/token`,
  jwks_uri: `${issuer}/.well-known/jwks.json`,
  grant_types_supported: [GRANT],
  response_types_supported: [],
  token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post']
}))
app.use((req, res) => { res.status(404).json({ error: 'not_found' }) })
app.use((error, req, res, next) => {
  // What the form's parser refuses: too long, not a form, not an encoding it knows.
  refuse(res, error.expose ? new InvalidRequestError('Invalid request: the form cannot be read') : error)
})

// Resolves when the service answers, and rejects with why it cannot.
export async function start (port, host) {
  await connect()
  await new Promise((resolve, reject) => {
    const server = app.listen(port, host, (error) => {
      if (error) return reject(error)
      issuer ??= `http://${host}:${server.address().port}`
      console.log(`token service: ${issuer}/api/v1/oauth2/token`)
      resolve()
    })
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.once(signal, () => { server.close(() => close()); server.closeAllConnections() })
    }
  })
  listen(forget)
}
