import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { PgDialect } from 'drizzle-orm/pg-core'
import pg from 'pg'
import { converse, shows } from './conversation.mjs'
import * as snippet from './snippet.mjs'

const pool = new pg.Pool() // as PG* says
const db = drizzle(pool)
await converse('drizzle-orm', {
  authenticate: (...pair) => snippet.authenticate(db, ...pair),
  add: (...client) => snippet.add(db, ...client),
  revoke: (secretId) => snippet.revoke(db, secretId),
  sqlstate: (e) => e.cause?.code,
  traps: [
    ['an array expands', async () => new PgDialect().sqlToQuery(sql`${['a', 'b']}`).sql === '($1, $2)'],
    ['errors have the secret', (id, secret) => shows(secret, () => db.execute(sql`SELECT 1/0, ${secret}::text`))],
    ['their cause has not', async (id, secret) =>
      !await shows(secret, () => db.execute(sql`SELECT 1/0, ${secret}::text`).catch((e) => { throw e.cause }))],
  ],
})
await pool.end()
