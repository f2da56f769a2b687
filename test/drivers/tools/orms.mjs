// doc/migrations.md: what MikroORM, TypeORM and Sequelize want to change.
import { EntitySchema as MikroEntity, MikroORM } from '@mikro-orm/postgresql'
import { DataTypes, Sequelize } from 'sequelize'
import { DataSource, EntitySchema } from 'typeorm'

const env = process.env
const url = (database) => `postgres://${env.PGUSER}:${env.PGPASSWORD}@${env.PGHOST}:${env.PGPORT}/${database}`
const report = (what, ok, seen) => console.log(ok ? `ok ${what}` : `FAILED ${what}: ${JSON.stringify(seen)}`)
const { default: filter } = await import(`${env.BLOCKS}/mikro-orm.config.mjs/snippet.mjs`)

async function mikro(database, config) {
  const properties = { id: { type: 'number', primary: true, autoincrement: false } }
  const orm = await MikroORM.init({ entities: [new MikroEntity({ name: 'Thing', properties })], clientUrl: url(database), ...config })
  const changes = await orm.schema.getUpdateSchemaSQL({ safe: false })
  await orm.close()
  return changes
}

let seen = await mikro('own', {})
report('MikroORM, in a schema of its own: it drops', seen.includes('drop table if exists "mogo"."mogo_client"'), seen)
seen = await mikro('own', filter)
report('MikroORM, with the filter: no change', seen === '', seen)
seen = await mikro('in_public', {})
report('MikroORM, in public: it drops', seen.includes('drop table if exists "mogo_client"'), seen)
seen = await mikro('in_public', { schemaGenerator: { skipTables: [/^mogo_/] } })
report('MikroORM, in public, with skipTables: no change', seen === '', seen)

for (const database of ['own', 'in_public']) {
  const entity = new EntitySchema({ name: 'thing', columns: { id: { type: 'int', primary: true } } })
  const typeorm = await new DataSource({ type: 'postgres', url: url(database), entities: [entity] }).initialize()
  const { upQueries } = await typeorm.driver.createSchemaBuilder().log()
  await typeorm.destroy()
  report(`TypeORM, ${database}: no change`, upQueries.length === 0, upQueries)

  const statements = []
  const sequelize = new Sequelize(url(database), { logging: (statement) => statements.push(statement) })
  sequelize.define('thing', { id: { type: DataTypes.INTEGER, primaryKey: true } }, { tableName: 'thing', timestamps: false })
  await sequelize.sync({ alter: true })
  await sequelize.close()
  report(`Sequelize, ${database}: no statement about ours`, statements.length > 0 && !/mogo/.test(statements.join()), statements)
}
console.log('end')
