// The database: who is this client, and what has changed. Connects as the PG* variables
// say. Every value is a bound parameter, so that no secret is in a statement's text.
import pg from 'pg'

const application_name = 'mogocred token service'
const pool = new pg.Pool({ application_name, max: 10, connectionTimeoutMillis: 5000, query_timeout: 5000 })
pool.on('error', (error) => log('an idle connection ended', error))

// Says what went wrong and never with which values.
export function log (what, error) {
  console.error(`${what}: ${error?.code ?? error?.name ?? 'unknown error'}`)
}

// Raises an error if the database, or the extension in it, is not there.
export async function connect () {
  const { rowCount } = await pool.query(`SELECT FROM pg_catalog.pg_extension
    WHERE extname = 'mogocred' AND extnamespace = pg_catalog.to_regnamespace('mogo')`)
  if (!rowCount) throw new Error('this database has no extension mogocred in a schema named mogo')
}

// The client's row, or undefined if the credentials are not good from that address. (A row or no
// row: a driver that gives booleans as text would make "f" of a false, which is true in most
// languages.) The name is qualified, so that it can be nobody else's and needs no setting.
export async function authenticate (id, secret, address) {
  const { rows } = await pool.query('SELECT * FROM mogo.mogo_authenticate($1::text, $2, $3)', [id, secret, address])
  return rows[0]
}

// The same from the value of an Authorization header, which the database decodes.
export async function authenticateBasic (header, address) {
  const { rows } = await pool.query('SELECT * FROM mogo.mogo_authenticate_basic($1, $2)', [header, address])
  return rows[0]
}

// Gives a secret that was imported as generated the fast hash. It writes, so it goes to the
// primary, by the session that listens there; without one, the next answer tries again.
export async function rehash (id, secret) {
  await listener?.query('SELECT mogo.mogo_rehash_secret($1::text, $2)', [id, secret])
    .catch((error) => log('a secret was not rehashed', error))
}

// Calls changed(clientId) for each notice, and changed() where notices may have been
// missed: from then on, until it has been called again, nothing is to be kept.
// LISTEN needs a session of its own to the primary.
let listener
let stopped = false
export async function listen (changed, wait = 1000) {
  const client = listener = new pg.Client({ application_name: `${application_name}, listening`, keepAlive: true })
  let ended = false
  const retry = (error) => {
    if (ended || stopped) return
    ended = true
    changed(undefined, false)
    log('not listening, caching nothing', error)
    client.end().catch(() => {})
    setTimeout(() => listen(changed, Math.min(wait * 2, 30000)), wait).unref()
  }
  client.on('error', retry).on('end', retry)
  client.on('notification', ({ payload }) => {
    try {
      changed(JSON.parse(payload).clientId ?? undefined, true)
    } catch {
      changed(undefined, true) // anybody may send anything
    }
  })
  try {
    await client.connect()
    await client.query('LISTEN mogocred')
    changed(undefined, true)
    wait = 1000
  } catch (error) {
    retry(error)
  }
}

export async function close () {
  stopped = true
  await Promise.all([listener?.end(), pool.end()])
}
