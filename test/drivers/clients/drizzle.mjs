import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { PgDialect, withReplicas } from 'drizzle-orm/pg-core'
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
    ['withReplicas: execute goes to the primary, select to a replica', async () => {
      const nowhere = new pg.Pool({ port: 1 })
      const split = withReplicas(db, [drizzle(nowhere)])
      const { rows } = await split.execute(sql`SELECT 1 AS one`)
      const error = await split.select({ one: sql`1` }).from(sql`pg_am`).catch((e) => e.cause)
      await nowhere.end()
      return rows[0].one === 1 && error.code === 'ECONNREFUSED'
    }],
    ['an array expands', async () => new PgDialect().sqlToQuery(sql`${['a', 'b']}`).sql === '($1, $2)'],
    ['errors have the secret', (id, secret) => shows(secret, () => db.execute(sql`SELECT 1/0, ${secret}::text`))],
    ['their cause has not', async (id, secret) =>
      !await shows(secret, () => db.execute(sql`SELECT 1/0, ${secret}::text`).catch((e) => { throw e.cause }))],
  ],
})
await pool.end()
