import { QueryTypes, Sequelize } from 'sequelize'
import { converse, shows } from './conversation.mjs'
import * as snippet from './snippet.mjs'

const env = process.env
const url = `postgres://${env.PGUSER}:${env.PGPASSWORD}@${env.PGHOST}:${env.PGPORT}/${env.PGDATABASE}`
const db = new Sequelize(url, { logging: false })
await converse('sequelize', {
  authenticate: (...pair) => snippet.authenticate(db, ...pair),
  add: (...client) => snippet.add(db, ...client),
  revoke: (secretId) => snippet.revoke(db, secretId),
  sqlstate: (e) => e.original?.code,
  traps: [
    ['logging is on, and shows replacements', (id, secret) => shows(secret, async () => {
      const noisy = new Sequelize(url)
      await noisy.query('SELECT ?::text', { replacements: [secret] })
      await noisy.close()
    })],
    ['not so bind', async (id, secret) => !await shows(secret, async () => {
      const noisy = new Sequelize(url)
      await noisy.query('SELECT $1::text', { bind: [secret] })
      await noisy.close()
    })],
    ['an array in replacements expands', (id) => shows("'a', 'b'", () =>
      db.query('SELECT 1 WHERE \'a\' IN (?)', { replacements: [['a', 'b']], logging: console.log }))],
    ['SELECT goes to a replica, useMaster does not', async () => {
      const split = new Sequelize({ dialect: 'postgres', logging: false, replication: {
        write: { host: env.PGHOST, port: env.PGPORT, username: env.PGUSER, password: env.PGPASSWORD, database: env.PGDATABASE },
        read: [{ host: env.PGHOST, port: 1, username: env.PGUSER, password: env.PGPASSWORD, database: env.PGDATABASE }] } })
      const ask = (how) => split.query('SELECT 1', { type: QueryTypes.SELECT, ...how }).catch((e) => e.name)
      const answers = [await ask({}), await ask({ useMaster: true })]
      await split.close()
      return answers[0] === 'SequelizeConnectionRefusedError' && answers[1].length === 1
    }],
  ],
})
await db.close()
