// API Management: the product's page on mogocred's SQL functions. Loopback only.
// PORT and PG* are the settings, see README.md.
import { randomBytes } from 'node:crypto'
import { csrfSync } from 'csrf-sync'
import express from 'express'
import session from 'express-session'
import helmet from 'helmet'
import { actions, list, login, Refused, said } from './database.mjs'
import { apiManagement, signIn } from './page.mjs'

const IDLE = 15 * 60 * 1000 // ms until a session ends
const connections = new Map() // session id -> { db, timer }
const { csrfSynchronisedProtection, generateToken } = csrfSync({ getTokenFromRequest: (req) => req.body?.csrf })
const store = new session.MemoryStore()
setInterval(() => store.length(() => {}), IDLE).unref() // drops the sessions that have expired

function leave (id) {
  const found = connections.get(id)
  connections.delete(id)
  clearTimeout(found?.timer)
  found?.db.end().catch(() => {})
}

const app = express()
const [self, none] = [["'self'"], ["'none'"]]
app.use(helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: none, scriptSrc: self, styleSrc: self, imgSrc: self, connectSrc: self, formAction: self, baseUri: none, frameAncestors: none }
  },
  strictTransportSecurity: false // http, on this machine only
}))
app.use((req, res, next) => {
  res.set('Cache-Control', 'no-store')
  // A name that somebody else's DNS points to this machine is not ours.
  if (['127.0.0.1', 'localhost'].includes(req.hostname)) next()
  else res.status(421).type('text').send('This page is at 127.0.0.1.')
})
app.use(express.static(`${import.meta.dirname}/public`, { cacheControl: false, index: false }))
app.use(session({
  name: 'mogocred',
  secret: randomBytes(32).toString('hex'),
  store,
  resave: false,
  saveUninitialized: false,
  rolling: true,
  cookie: { httpOnly: true, sameSite: 'strict', maxAge: IDLE }
}))
app.use(express.urlencoded({ extended: false, limit: '16kb' }), csrfSynchronisedProtection)
app.use((req, res, next) => {
  const found = connections.get(req.sessionID)
  found?.timer.refresh()
  req.db = found?.db
  next()
})

app.get('/', async (req, res) => {
  const csrf = generateToken(req)
  res.send(req.db ? apiManagement({ csrf, db: req.db, ...await list(req.db, req.query.find) }) : signIn({ csrf }))
})

app.post('/login', async (req, res) => {
  let id
  const db = await login(req.body.role, req.body.password, () => leave(id))
  // A new session id and token: nobody can have planted these.
  await new Promise((resolve, reject) => req.session.regenerate((error) => error ? reject(error) : resolve()))
  generateToken(req, true)
  id = req.sessionID
  connections.set(id, { db, timer: setTimeout(() => leave(id), IDLE).unref() })
  res.redirect(303, '/')
})

app.post('/logout', (req, res) => {
  leave(req.sessionID)
  req.session.destroy(() => res.redirect(303, '/'))
})

// The page's script posts these and puts the answer into the page. New credentials are
// in this answer alone: not in a URL, not in the history, and not kept here.
app.post('/do/:action', async (req, res) => {
  const { action } = req.params
  if (!req.db) return res.status(401).end()
  if (!Object.hasOwn(actions, action)) return res.status(404).type('text').send('There is no such action.')
  const [row] = await actions[action](req.db, req.body)
  const issued = row.client_secret && row
  res.send(apiManagement({ csrf: generateToken(req), db: req.db, action, issued, ...await list(req.db, req.body.find) }))
})

app.use((req, res) => res.status(404).type('text').send('There is no such page.'))
app.use((error, req, res, next) => {
  const known = error instanceof Refused || error.severity // what the database says may be shown
  const status = known ? (req.path === '/login' ? 403 : 409) : error.statusCode ?? 500
  const text = known ? said(error) : status === 403 ? 'This page is out of date. Load it again.' : 'The console cannot do that now.'
  if (status >= 500) console.error(`a request failed: ${error.code ?? error.name}`) // no values, no statement
  res.status(status)
  if (req.path.startsWith('/do/')) res.type('text').send(text)
  else res.send(signIn({ csrf: generateToken(req), db: req.db, error: text, role: req.body?.role }))
})

const server = app.listen(Number(process.env.PORT ?? 3001), '127.0.0.1', (error) => {
  if (error) throw error
  console.log(`admin console: http://127.0.0.1:${server.address().port}/`)
})
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close()
    server.closeAllConnections()
    for (const id of connections.keys()) leave(id)
  })
}
