// Starts the portal, or says in one line why it cannot. (app.mjs is imported when Node.js is
// known to be able to read it.)
const refuse = (why) => { console.error(`portal: ${why}`); process.exit(1) }

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 20 || (major === 20 && minor < 11)) refuse(`Node.js 20.11 or newer is needed, this is ${process.versions.node}`)

const port = Number(process.env.PORT ?? 3002)
if (!Number.isInteger(port) || port < 0 || port > 65535) refuse('PORT is not a port number')
const host = process.env.HOST ?? '127.0.0.1'

const { start } = await import('./app.mjs').catch((error) => refuse(
  error.code === 'ERR_MODULE_NOT_FOUND' ? 'its packages are missing, run: npm ci' : error.message))
await start(port, host).catch((error) => refuse(error.code === 'EADDRINUSE'
  ? `port ${port} is taken, choose another one with PORT`
  : error.message || error.errors?.[0]?.message || error.code))
