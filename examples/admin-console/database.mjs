// The database side: one PostgreSQL connection for each login, made with that role's own name
// and password, so that the database's rights and its audit are the console's.
import { randomUUID } from 'node:crypto'
import pLimit from 'p-limit'
import pg from 'pg'

export const logins = new Map() // id -> pg's client, with run(sql, ...values)

// Connects as the role and gives the login's id. It ends after 15 minutes without a statement.
// The password is not kept. Why it fails may be shown: the error says so with `expose`.
export async function login (role, password) {
  const [id, oneByOne] = [randomUUID(), pLimit(1)]
  const client = new pg.Client({
    user: role,
    password: () => password,
    application_name: 'mogocred admin console',
    connectionTimeoutMillis: 5000,
    statement_timeout: 10000
  })
  client.on('error', () => {}).on('end', () => logins.delete(id))
  try {
    if (!role || !password) throw new Error('Role and password are both needed')
    await client.connect()
    // A server that trusts this machine takes any password, so the console would, too.
    const asked = typeof client.password === 'string'
    client.password = client.connectionParameters.password = null
    if (!asked) throw new Error('The server lets it in without a password, so the console does not')
    const { rowCount } = await client.query(`SELECT pg_catalog.set_config('search_path',
        extnamespace::pg_catalog.regnamespace || ', pg_temp', false),
        pg_catalog.set_config('idle_session_timeout', '15min', false)
      FROM pg_catalog.pg_extension WHERE extname = 'mogocred'`)
    if (!rowCount) throw new Error('This database has no extension mogocred')
  } catch (error) {
    client.end()
    throw Object.assign(error, { expose: true, message: error.message || error.code })
  }
  // One statement after the other, whatever the browser sends at the same time.
  client.run = (sql, ...values) => oneByOne(() => client.query(sql, values)).then(({ rows }) => rows)
  logins.set(id, client)
  return id
}

// The clients whose name has the words in it, each with its latest secrets.
export async function list (db, words = '', most = 100) {
  const clients = await db.run(`SELECT c.*, ARRAY(SELECT to_jsonb(s) FROM mogo_secrets AS s
      WHERE s.client_id = c.client_id ORDER BY status = 'active' DESC, created_at DESC LIMIT 10) AS secrets
    FROM mogo_clients AS c WHERE strpos(lower(client_name COLLATE "default"), lower($1)) > 0
    ORDER BY client_name LIMIT $2`, String(words), most + 1)
  return { words, clients: clients.slice(0, most), more: clients.length > most }
}

// What an administrator does. With new credentials comes the file as the database writes it.
const issue = (call) => `SELECT c.client_name AS name, c.client_id AS id, c.client_secret AS secret,
  mogo_credentials_json(c)::text AS file FROM ${call} AS c`
export const actions = {
  add: (db, { name }) => db.run(issue('mogo_add_client($1::text)'), name),
  rotate: (db, { id, overlap }) => db.run(issue('mogo_rotate_secret($1::uuid, $2::interval)'), id, overlap),
  disable: (db, { id }) => db.run('SELECT mogo_disable_client($1::uuid)', id),
  enable: (db, { id }) => db.run('SELECT mogo_enable_client($1::uuid)', id),
  revoke: (db, { id }) => db.run('SELECT mogo_revoke_secret($1::uuid)', id)
}
