import { DataSource } from 'typeorm'
import { inspect } from 'node:util'
import { converse } from './conversation.mjs'
import * as snippet from './snippet.mjs'

const env = process.env
const url = `postgres://${env.PGUSER}:${env.PGPASSWORD}@${env.PGHOST}:${env.PGPORT}/${env.PGDATABASE}`
const db = await new DataSource({ type: 'postgres', url }).initialize()
await converse('typeorm', {
  authenticate: (...pair) => snippet.authenticate(db, ...pair),
  add: (...client) => snippet.add(db, ...client),
  revoke: (secretId) => snippet.revoke(db, secretId),
  traps: [
    ['query goes to the primary, a query builder to a replica', async () => {
      const slave = { url: url.replace(/[^/]*$/, 'postgres') } // another database, so that it can be told apart
      const split = await new DataSource({ type: 'postgres', replication: { master: { url }, slaves: [slave] } }).initialize()
      const [{ at }] = await split.query('SELECT current_database() AS at')
      const there = await split.createQueryBuilder().select('current_database()', 'at').from('pg_am', 'a').getRawOne()
      await split.destroy()
      return at === env.PGDATABASE && there.at === 'postgres'
    }],
    ['errors have the secret', async (id, secret) =>
      inspect(await db.query('SELECT 1/0, $1::text', [secret]).catch((e) => e)).includes(secret)],
  ],
})
await db.destroy()
