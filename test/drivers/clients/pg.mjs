import pg from 'pg'
import { converse } from './conversation.mjs'
import * as snippet from './snippet.mjs'

const db = new pg.Pool() // as PG* says
await converse('pg', {
  authenticate: (...pair) => snippet.authenticate(db, ...pair),
  add: (...client) => snippet.add(db, ...client),
  revoke: (secretId) => snippet.revoke(db, secretId),
  traps: [
    ['a result is true', async (id) => Boolean(await db.query('SELECT mogo.mogo_verify($1, $2)', [id, 'wrong']))],
    ['rows of none are true', async (id) => Boolean((await db.query('SELECT * FROM mogo.mogo_authenticate($1, $2)', [id, 'wrong'])).rows)],
    ['a boolean is one', async (id) => (await db.query('SELECT mogo.mogo_verify($1, $2)', [id, 'wrong'])).rows[0].mogo_verify === false],
  ],
})
await db.end()
