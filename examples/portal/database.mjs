// The database: accept an invitation, rotate a proven secret. Connects as the PG* variables say,
// with the portal's role, which may do these two things and nothing else. Every value is a bound
// parameter, so that no code and no secret is in a statement's text.
import pg from 'pg'

const pool = new pg.Pool({
  application_name: 'mogocred portal', max: 10, connectionTimeoutMillis: 5000, query_timeout: 10000
})
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

// The credentials as a client calls itself: by its external id, if it has one.
const credentials = ({ rows: [row] }) => row && {
  clientName: row.client_name,
  clientId: row.external_id ?? row.client_id,
  clientSecret: row.client_secret,
  expiresAt: row.expires_at
}

// New credentials for an invitation's code, once; undefined for anything else.
export const accept = async (code, address) => credentials(await pool.query(
  'SELECT * FROM mogo.mogo_accept_invitation($1::text, $2::text)', [code, address]))

// The next credentials of a client that proves its present ones; undefined for a wrong pair.
export const rotate = async (id, secret, overlap, address) => credentials(await pool.query(
  'SELECT * FROM mogo.mogo_rotate_own_secret($1::text, $2::text, $3::interval, $4::text)',
  [id, secret, overlap, address]))
