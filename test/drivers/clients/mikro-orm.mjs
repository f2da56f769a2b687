import { EntitySchema, MikroORM } from '@mikro-orm/postgresql'
import { converse, shows } from './conversation.mjs'
import * as snippet from './snippet.mjs'

const env = process.env
const entity = new EntitySchema({ name: 'Thing', properties: { id: { type: 'number', primary: true } } })
const orm = await MikroORM.init({ entities: [entity], host: env.PGHOST, port: Number(env.PGPORT), dbName: env.PGDATABASE,
  user: env.PGUSER, password: env.PGPASSWORD })
const db = orm.em.getConnection()
await converse('@mikro-orm/postgresql', {
  authenticate: (...pair) => snippet.authenticate(db, ...pair),
  add: (...client) => snippet.add(db, ...client),
  revoke: (secretId) => snippet.revoke(db, secretId),
  traps: [
    ['errors have the secret', (id, secret) => shows(secret, () => db.execute('SELECT 1/0, ?::text', [secret]))],
    ['an array expands', (id, secret) => shows(`'a', '${secret}'`, () => db.execute('SELECT 1/0 WHERE \'a\' IN (?)', [['a', secret]]))],
  ],
})
await orm.close()
