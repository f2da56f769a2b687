import { Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { converse, shows } from './conversation.mjs'
import * as snippet from './snippet.mjs'

const dialect = () => new PostgresDialect({ pool: new pg.Pool() }) // as PG* says
const db = new Kysely({ dialect: dialect() })
await converse('kysely', {
  authenticate: (...pair) => snippet.authenticate(db, ...pair),
  add: (...client) => snippet.add(db, ...client),
  revoke: (secretId) => snippet.revoke(db, secretId),
  traps: [
    ['the log gets the secret', async (id, secret) => {
      let seen
      const noisy = new Kysely({ dialect: dialect(), log: (event) => { seen = JSON.stringify(event.query.parameters) } })
      await snippet.authenticate(noisy, id, secret)
      await noisy.destroy()
      return seen.includes(secret)
    }],
  ],
})
await db.destroy()
