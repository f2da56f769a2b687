import pgPromise from 'pg-promise'
import { converse } from './conversation.mjs'
import * as snippet from './snippet.mjs'

let text
const pgp = pgPromise({ query: (e) => { text = JSON.stringify([e.query, e.params]) } })
const db = pgp({}) // as PG* says
await converse('pg-promise', {
  authenticate: (...pair) => snippet.authenticate(db, ...pair),
  add: (...client) => snippet.add(db, ...client),
  revoke: (secretId) => snippet.revoke(db, secretId),
  traps: [
    ['the secret is in the text', async (id, secret) => {
      await snippet.authenticate(db, id, secret)
      return JSON.parse(text)[0].includes(secret)
    }],
  ],
})
await pgp.end()
