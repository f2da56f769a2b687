// The tokens: signed JWTs (RFC 9068) and a cache of those that were signed a moment ago.
//
// Whether a client may have a token is asked of the database every time; the cache
// only saves the signature, by far the dearest step. It holds a client's tokens by the
// secret and the scopes that the database has just named, so that a stale entry is never
// found. Rules as in doc/caching.md: a notice drops the whole client, a new connection
// everything, without a connection nothing is kept, and no token outlives its secret.
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { calculateJwkThumbprint, exportJWK, SignJWT } from 'jose'

const LIFETIME = 36000_000 // of a token, in ms
const REUSE = 60_000 // for how long it is handed out again
const MAX_CLIENTS = 10_000

// A key of its own at each start, unless a file keeps one (PEM, PKCS #8, P-256 or RSA). ES256 is
// the default: a signature of RS256 takes many times as long.
const file = process.env.SIGNING_KEY_FILE
const privateKey = file
  ? createPrivateKey(readFileSync(file))
  : generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
const alg = privateKey.asymmetricKeyType === 'rsa' ? 'RS256' : 'ES256'
const jwk = await exportJWK(createPublicKey(privateKey))
const kid = await calculateJwkThumbprint(jwk)

// What resource servers check tokens with (RFC 7517).
export const jwks = { keys: [{ ...jwk, kid, alg, use: 'sig' }] }

const cache = new Map() // client id -> Map of secret and scopes -> token
let keep = false

// Drops what is kept of a client, or everything. keeping: may anything be kept from now on?
export function forget (clientId, keeping) {
  keep = keeping
  if (clientId) cache.delete(clientId)
  else cache.clear()
}

// A token for the client of this row of mogo_authenticate: { jwt, expiresAt }.
export async function tokenFor (row, scopes, issuer, audience) {
  const key = [row.secret_id, ...scopes].join(' ')
  const now = Date.now()
  const kept = cache.get(row.client_id)?.get(key)
  if (kept && now < kept.reuseUntil && now < kept.expiresAt) return kept

  const expiresAt = new Date(Math.min(now + LIFETIME, row.expires_at ?? Infinity))
  // what the client calls itself: the id that another system gave it, if one did
  const id = row.external_id ?? row.client_id
  const jwt = await new SignJWT({ client_id: id, scope: scopes.join(' ') || undefined })
    .setProtectedHeader({ alg, typ: 'at+jwt', kid })
    .setIssuer(issuer).setAudience(audience).setSubject(id).setJti(randomUUID())
    .setIssuedAt().setExpirationTime(Math.floor(expiresAt / 1000))
    .sign(privateKey)
  const token = { jwt, expiresAt, reuseUntil: now + REUSE }
  if (keep) {
    if (cache.size >= MAX_CLIENTS) cache.delete(cache.keys().next().value)
    if (!cache.has(row.client_id)) cache.set(row.client_id, new Map())
    cache.get(row.client_id).set(key, token)
  }
  return token
}
