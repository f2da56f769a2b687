import knex from 'knex'
import { converse, shows } from './conversation.mjs'
import * as snippet from './snippet.mjs'

const env = process.env
const connection = { host: env.PGHOST, port: env.PGPORT, database: env.PGDATABASE, user: env.PGUSER, password: env.PGPASSWORD }
const db = knex({ client: 'pg', connection })
await converse('knex', {
  authenticate: (...pair) => snippet.authenticate(db, ...pair),
  add: (...client) => snippet.add(db, ...client),
  revoke: (secretId) => snippet.revoke(db, secretId),
  traps: [
    ['debug prints the secret', async (id, secret) => {
      const noisy = knex({ client: 'pg', connection, debug: true })
      return await shows(secret, () => snippet.authenticate(noisy, id, secret)).finally(() => noisy.destroy())
    }],
    ['errors do not', async (id, secret) => !await shows(secret, () => db.raw('SELECT 1/0, ?::text', [secret]))],
    ['an array without a list around it', async () => db.raw('? ?', ['a', 'b']).toSQL().bindings.length === 2],
  ],
})
await db.destroy()
