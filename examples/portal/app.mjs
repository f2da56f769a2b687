// The portal: the page on which a client's owner takes up an invitation, and POST /rotate for
// programs. This file owns the routes and the headers. Settings: PORT, HOST, OVERLAP, TRUST_PROXY
// and PG*, see README.md.
import express from 'express'
import helmet from 'helmet'
import { accept, connect, log, rotate } from './database.mjs'

const overlap = process.env.OVERLAP ?? '1 day'
const app = express().set('trust proxy', process.env.TRUST_PROXY ?? false)
const [self, none] = ["'self'", "'none'"]
const directives = {
  defaultSrc: none, scriptSrc: self, styleSrc: self, connectSrc: self,
  imgSrc: [self, 'data:'], baseUri: none, formAction: none, frameAncestors: none
}
app.use(helmet({
  contentSecurityPolicy: { useDefaults: false, directives },
  referrerPolicy: { policy: 'no-referrer' },
  strictTransportSecurity: false // TLS is the proxy's, and so is this header
}))
// Nothing here may be kept by a browser or a proxy.
app.use((req, res, next) => { res.set('Cache-Control', 'no-store'); next() })
app.use(express.static(`${import.meta.dirname}/public`, { cacheControl: false }))
app.use(express.static(`${import.meta.dirname}/node_modules/@picocss/pico/css`, { cacheControl: false }))

// The code comes in a POST's body, from the page's button. A GET uses no code up: a link's preview,
// or a mail scanner that follows it, gets the page, and a fragment is not even sent.
app.post('/accept', express.json({ limit: '1kb', type: 'application/json' }), async (req, res) => {
  const { code } = req.body ?? {}
  const found = typeof code === 'string' && await accept(code, req.ip)
  if (!found) return res.status(404).json({ error: 'invalid_code' })
  res.json(found)
})

// A client proves its present credentials by HTTP Basic (RFC 6749, section 2.3.1) and gets the next.
app.post('/rotate', async (req, res) => {
  const [id, secret] = basic(req.get('authorization'))
  const found = id !== undefined && await rotate(id, secret, overlap, req.ip)
  if (!found) return res.status(401).set('WWW-Authenticate', 'Basic realm="portal"').json({ error: 'invalid_client' })
  res.json(found)
})

// The id and the secret of an Authorization header, each form-urlencoded; [] if it is none.
function basic (header) {
  const text = Buffer.from(/^basic +([\w+/=-]+)$/i.exec(header)?.[1] ?? '', 'base64').toString()
  const colon = text.indexOf(':')
  try {
    const decode = (part) => decodeURIComponent(part.replaceAll('+', ' '))
    return colon < 0 ? [] : [decode(text.slice(0, colon)), decode(text.slice(colon + 1))]
  } catch {
    return []
  }
}

// The log gets no value and no statement.
app.use((error, req, res, next) => {
  const known = error.status >= 400 && error.status < 500
  if (!known) log('a request failed', error)
  res.status(known ? error.status : 503).json({ error: known ? 'invalid_request' : 'temporarily_unavailable' })
})

// Listens once the database is there.
export async function start (port, host) {
  await connect()
  const server = app.listen(port, host)
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject))
  console.log(`portal: http://${host}:${server.address().port}/`)
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit())
}
