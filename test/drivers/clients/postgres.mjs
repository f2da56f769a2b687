import postgres from 'postgres'
import { converse } from './conversation.mjs'
import * as snippet from './snippet.mjs'

const sql = postgres() // as PG* says
await converse('postgres', {
  authenticate: (...pair) => snippet.authenticate(sql, ...pair),
  add: (...client) => snippet.add(sql, ...client),
  revoke: (secretId) => snippet.revoke(sql, secretId),
  traps: [
    ['a result of none is true', async (id) => Boolean(await sql`SELECT * FROM mogo.mogo_authenticate(${id}, 'wrong')`)],
    ['debug: errors have the secret', async (id, secret) => {
      const noisy = postgres({ debug: () => {} })
      const error = await noisy`SELECT 1/0, ${secret}::text`.catch((e) => e)
      await noisy.end()
      return JSON.stringify(error.parameters).includes(secret)
    }],
  ],
})
await sql.end()
