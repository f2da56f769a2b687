// One PostgreSQL connection for each login, made with that role's own name and password:
// the database's rights and its audit are the console's. The password is not kept.
import pg from 'pg'

export class Refused extends Error {}

// An error's message as a sentence. mogocred puts no secret into one.
export const said = ({ message }) => message[0].toUpperCase() + message.slice(1).replace(/\.?$/, '.')

// Connects as the role. Gives { role, database, query(sql, values), end() }; ended() is
// called when the connection is gone. Raises Refused, or the database's error.
export async function login (role, password, ended) {
  if (!role || !password) throw new Refused('Role and password are both needed')
  let asked = false
  const client = new pg.Client({
    user: role,
    password: () => { asked = true; return password },
    application_name: 'mogocred admin console',
    connectionTimeoutMillis: 5000,
    statement_timeout: 10000
  })
  client.on('error', ended).on('end', ended)
  try {
    await client.connect()
    // A server that trusts this machine takes any password, so the console would, too.
    if (!asked) throw new Refused('The server let the role in without a password, so the console does not')
    const { rows: [found] } = await client.query(`SELECT pg_catalog.set_config('search_path',
        pg_catalog.quote_ident(n.nspname) || ', pg_temp', false) FROM pg_catalog.pg_extension e
      JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'mogocred'`)
    if (!found) throw new Refused('This database has no extension mogocred')
  } catch (error) {
    client.end().catch(() => {})
    throw error.severity || error instanceof Refused ? error : new Refused(`The database cannot be reached (${error.code ?? error.name})`)
  }
  let last = Promise.resolve()
  return {
    role,
    database: `${client.database} on ${client.host}`,
    // One statement after the other, whatever the browser sends at the same time.
    query (sql, values) {
      const result = last.then(() => client.query(sql, values)).then(({ rows }) => rows)
      last = result.catch(() => {})
      return result
    },
    end: () => client.end()
  }
}

// The clients whose name has the words in it, each with its latest secrets.
export async function list (db, words = '', most = 100) {
  const clients = await db.query(`SELECT * FROM mogo_clients WHERE client_name COLLATE "default" ILIKE '%' || $1::text || '%' ORDER BY client_name LIMIT $2`,
    [String(words).replace(/[\\%_]/g, '\\$&'), most + 1])
  const secrets = await db.query(`SELECT s.* FROM unnest($1::uuid[]) AS c (id) CROSS JOIN LATERAL (SELECT * FROM mogo_secrets
    WHERE client_id = c.id ORDER BY status = 'active' DESC, created_at DESC LIMIT 10) AS s`, [clients.map((client) => client.client_id)])
  for (const client of clients) client.secrets = secrets.filter((secret) => secret.client_id === client.client_id)
  return { words, clients: clients.slice(0, most), more: clients.length > most }
}

// With new credentials comes the file that is downloaded, as the database writes it.
const issued = 'SELECT c.client_name, c.client_id, c.client_secret, mogo_credentials_json(c)::text AS file FROM'
export const actions = {
  add: (db, { client_name: name }) => db.query(`${issued} mogo_add_client($1::text) AS c`, [name]),
  rotate: (db, { client_id: id, overlap }) => db.query(`${issued} mogo_rotate_secret($1::uuid, $2::interval) AS c`, [id, overlap]),
  disable: (db, { client_id: id }) => db.query('SELECT mogo_disable_client($1::uuid)', [id]),
  enable: (db, { client_id: id }) => db.query('SELECT mogo_enable_client($1::uuid)', [id]),
  revoke: (db, { secret_id: id }) => db.query('SELECT mogo_revoke_secret($1::uuid)', [id])
}
