import { PrismaPg } from '@prisma/adapter-pg'
import { converse } from './conversation.mjs'
import { PrismaClient } from './client/index.js'
import * as snippet from './snippet.mjs'

const env = process.env
const connectionString = `postgres://${env.PGUSER}:${env.PGPASSWORD}@${env.PGHOST}:${env.PGPORT}/${env.PGDATABASE}`
const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString }) })
await converse('@prisma/client', {
  authenticate: (...pair) => snippet.authenticate(prisma, ...pair),
  add: (...client) => snippet.add(prisma, ...client),
  revoke: (secretId) => snippet.revoke(prisma, secretId),
  sqlstate: (e) => e.meta?.driverAdapterError?.cause?.originalCode ?? e.meta?.code ?? JSON.stringify(e),
  traps: [
    ['$queryRaw: an error for void, and done', async (id, secret, secretId) =>
      await prisma.$queryRaw`SELECT mogo.mogo_revoke_secret(${secretId}::uuid)`.catch(() => 'error') === 'error' &&
      await snippet.authenticate(prisma, id, secret) === null],
  ],
})
await prisma.$disconnect()
