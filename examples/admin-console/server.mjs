// API Management: the product's page on mogocred's SQL functions. This file owns the routes, the
// cookie and the headers. Loopback only; the settings are PORT and PG*, see README.md.
import { randomBytes } from 'node:crypto'
import cookieSession from 'cookie-session'
import { csrfSync } from 'csrf-sync'
import express from 'express'
import helmet from 'helmet'
import { actions, list, login, logins } from './database.mjs'

const { csrfSynchronisedProtection, generateToken } = csrfSync({
  getTokenFromRequest: (req) => req.body?.csrf,
  errorConfig: { message: 'this page is out of date, load it again' }
})
const app = express().set('views', import.meta.dirname).set('view engine', 'pug').enable('view cache')
const [self, none] = ["'self'", "'none'"]
const directives = {
  defaultSrc: none, scriptSrc: self, styleSrc: self, connectSrc: self, formAction: self,
  imgSrc: [self, 'data:'], baseUri: none, frameAncestors: none // data: for Pico's arrows
}
app.use(helmet({
  contentSecurityPolicy: { useDefaults: false, directives },
  strictTransportSecurity: false // http, on this machine only
}))
app.use(express.static(`${import.meta.dirname}/public`))
app.use(express.static(`${import.meta.dirname}/node_modules/@picocss/pico/css`))
app.use(cookieSession({ name: 'mogocred', keys: [randomBytes(32)], sameSite: 'strict' }))

// The browser keeps no page, and a name that somebody else's DNS points to here is not ours. Each
// page needs to know who is signed in, and the token that its forms send back.
app.use((req, res, next) => {
  res.set('Cache-Control', 'no-store')
  if (!['127.0.0.1', 'localhost'].includes(req.hostname)) return res.status(421).end('It is at 127.0.0.1.')
  Object.assign(res.locals, { db: logins.get(req.session.login), csrf: generateToken(req) })
  next()
})
app.use(express.urlencoded({ extended: false, limit: '16kb' }), csrfSynchronisedProtection)

app.get('/', async (req, res) => {
  res.render('page', res.locals.db && await list(res.locals.db, req.query.find))
})

// A login gets a new cookie and token: nobody can have planted these.
app.post('/login', async (req, res) => {
  res.locals.db?.end()
  req.session = { login: await login(req.body.role, req.body.password) }
  res.redirect(303, '/')
})

app.post('/logout', (req, res) => {
  res.locals.db?.end()
  req.session = null
  res.redirect(303, '/')
})

// The page's script posts these and puts the answer into the page. New credentials are in
// this answer alone: not in a URL, not in the history, and not kept here.
for (const [action, act] of Object.entries(actions)) {
  app.post(`/do/${action}`, async (req, res) => {
    const { db } = res.locals
    if (!db) return res.status(401).end()
    const [result] = await act(db, req.body)
    res.render('page', { about: req.body.id, result, ...await list(db, req.query.find) })
  })
}

// What the database says may be shown. The log gets no values and no statement.
app.use((error, req, res, next) => {
  const shown = error.expose || error.severity
  const text = shown ? error.message : 'the console cannot do that now'
  const sentence = text[0].toUpperCase() + text.slice(1).replace(/\.?$/, '.')
  if (!shown) console.error(`a request failed: ${error.code ?? error.name}`)
  res.status(error.statusCode ?? (shown ? 409 : 500))
  if (req.path.startsWith('/do/')) res.type('text').send(sentence)
  else res.render('page', { error: sentence, role: req.body?.role })
})

const server = app.listen(Number(process.env.PORT ?? 3001), '127.0.0.1', (error) => {
  if (error) throw error
  console.log(`admin console: http://127.0.0.1:${server.address().port}/`)
})
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit())
