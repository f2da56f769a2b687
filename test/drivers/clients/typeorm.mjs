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
    ['errors have the secret', async (id, secret) =>
      inspect(await db.query('SELECT 1/0, $1::text', [secret]).catch((e) => e)).includes(secret)],
  ],
})
await db.destroy()
