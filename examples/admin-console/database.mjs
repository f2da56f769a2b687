// The database side: one PostgreSQL connection for each login, made with that role's own name
// and password, so that the database's rights and its audit are the console's. The extension is
// in the schema mogo, and every name of its is qualified.
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
    const { rowCount } = await client.query(`SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', false),
        pg_catalog.set_config('idle_session_timeout', '15min', false)
      FROM pg_catalog.pg_extension WHERE extname = 'mogocred' AND extnamespace = pg_catalog.to_regnamespace('mogo')`)
    if (!rowCount) throw new Error('This database has no extension mogocred in a schema named mogo')
  } catch (error) {
    client.end()
    throw Object.assign(error, { expose: true, message: error.message || error.code })
  }
  // One statement after the other, whatever the browser sends at the same time.
  client.run = (sql, ...values) => oneByOne(() => client.query(sql, values)).then(({ rows }) => rows, (error) => {
    // Sent, and no answer: the server may have done it.
    const lost = { expose: true, message: 'The connection ended. Whether that was done is not known: sign in and look' }
    throw !logins.has(id) || error.severity === 'FATAL' ? Object.assign(error, lost) : error
  })
  logins.set(id, client)
  return id
}

// What the role may do: { read, manage }, and its name as an SQL literal.
export const rights = async (db) => (await db.run(`SELECT
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS read,
    EXISTS (SELECT FROM pg_proc WHERE proname = 'mogo_add_client' AND pronamespace = n.oid
      AND has_function_privilege(pg_proc.oid, 'EXECUTE')) AS manage,
    quote_literal(quote_ident(current_user)) AS role
  FROM pg_namespace AS n JOIN pg_class AS c ON c.relnamespace = n.oid
  WHERE n.nspname = 'mogo' AND c.relname = 'mogo_clients'`))[0]

// The list's columns: what each is sorted by, with its type. NULL has no place in a comparison.
export const columns = {
  name: ['Name', 'lower(client_name COLLATE "default")', 'text'],
  id: ['Client ID', 'client_id', 'uuid'],
  status: ['Status', '(NOT enabled)::integer', 'integer'],
  secrets: ['Secrets', 'live_secrets', 'integer'],
  end: ['Next end', "coalesce(next_expiry, 'infinity')", 'timestamptz'],
  use: ['Last use', "coalesce(last_used_at, '-infinity')", 'timestamptz']
}

// A page of the clients that have the words in their name or id: those `after` or `before` a row.
// A row's place is its id and what it is sorted by, so that no page begins with counting rows.
// A client that was just added comes first where it is not on the page.
export async function list (db, query, added, most = 20) {
  const { find = '', sort, desc, before, after } = query
  const [, key, type] = columns[sort] ?? columns.name
  const place = before ?? after
  const down = Boolean(desc) !== Boolean(before)
  const select = `SELECT *, client_id || (${key})::text AS place FROM mogo.mogo_clients`
  const clients = await db.run(`${select}
    WHERE (strpos(lower(client_name COLLATE "default"), lower($1)) > 0 OR strpos(client_id::text, lower($1)) > 0
        OR strpos(lower(external_id COLLATE "default"), lower($1)) > 0)
      AND ($2::uuid IS NULL OR (${key}, client_id) ${down ? '<' : '>'} ($3::${type}, $2::uuid))
    ORDER BY ${key} ${down ? 'DESC' : 'ASC'}, client_id ${down ? 'DESC' : 'ASC'} LIMIT $4`,
  find, place?.slice(0, 36), place?.slice(36), most + 1)
  if (place && clients.length < (before ? most : 1)) return list(db, { find, sort, desc }, added, most)
  const more = clients.splice(most).length > 0
  if (before) clients.reverse()
  const absent = added && !clients.some((client) => client.client_id === added)
  return {
    pinned: absent ? await db.run(`${select} WHERE client_id = $1`, added) : [],
    clients,
    before: (before ? more : after) && clients.at(0)?.place,
    after: (before || more) && clients.at(-1)?.place
  }
}

// A client with its live secrets, the ended ones that are newest, and its newest invitations.
export const one = async (db, id, most = 20) => (await db.run(`SELECT c.*, ARRAY(
    SELECT to_jsonb(s) FROM mogo.mogo_secrets AS s WHERE s.client_id = c.client_id
    ORDER BY s.status = 'active' DESC, s.created_at DESC LIMIT $2) AS secrets, ARRAY(
    SELECT to_jsonb(i) FROM mogo.mogo_invitations AS i WHERE i.client_id = c.client_id
    ORDER BY i.created_at DESC LIMIT $2) AS invitations
  FROM mogo.mogo_clients AS c WHERE c.client_id = $1`, id, most))[0]

// What an administrator does. With new credentials comes the file as the database writes it, in
// which the client's id is its external id if it has one.
const issue = (call) => `SELECT c.client_name AS name, c.client_id AS id,
  coalesce(c.external_id, c.client_id::text) AS shown, c.client_secret AS secret,
  mogo.mogo_credentials_json(c)::text AS file FROM ${call} AS c`
const invite = 'SELECT i.client_name AS name, i.client_id AS id, i.code, i.expires_at AS end FROM'
export const actions = {
  add: (db, { name }) => db.run(issue('mogo.mogo_add_client($1::text)'), name),
  rotate: (db, { id, overlap }) => db.run(issue('mogo.mogo_rotate_secret($1::uuid, $2::interval)'), id, overlap),
  'invite-new': (db, { name, valid }) => db.run(`${invite} mogo.mogo_add_client($1::text, with_secret => false) AS c,
    LATERAL mogo.mogo_invite(c.client_id, $2::interval) AS i`, name, valid),
  invite: (db, { id, valid, overlap }) => db.run(`${invite}
    mogo.mogo_invite($1::uuid, $2::interval, nullif($3::text, '')::interval) AS i`, id, valid, overlap),
  external: (db, { id, external }) => db.run('SELECT mogo.mogo_update_client($1::uuid, external_id => $2::text)', id, external),
  withdraw: (db, { id }) => db.run('SELECT mogo.mogo_revoke_invitation($1::uuid)', id),
  disable: (db, { id }) => db.run('SELECT mogo.mogo_disable_client($1::uuid)', id),
  enable: (db, { id }) => db.run('SELECT mogo.mogo_enable_client($1::uuid)', id),
  revoke: (db, { id }) => db.run('SELECT mogo.mogo_revoke_secret($1::uuid)', id)
}
