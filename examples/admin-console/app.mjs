// API Management: the product's page on mogocred's SQL functions. This file owns the routes, the
// cookie and the headers. Loopback only; the settings are PORT, PORTAL_URL and PG*, see README.md.
import { randomBytes } from 'node:crypto'
import cookieSession from 'cookie-session'
import { csrfSync } from 'csrf-sync'
import express from 'express'
import helmet from 'helmet'
import { actions, columns, list, login, logins, one, rights } from './database.mjs'

const { csrfSynchronisedProtection, generateToken } = csrfSync({
  getTokenFromRequest: (req) => req.body?.csrf,
  errorConfig: { message: 'this page is out of date, and nothing was done. Load it again' }
})
export const app = express().set('views', import.meta.dirname).set('view engine', 'pug').enable('view cache')
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
// page needs to know who is signed in, where it is, and the token that its forms send back.
app.use((req, res, next) => {
  res.set('Cache-Control', 'no-store')
  if (!['127.0.0.1', 'localhost'].includes(req.hostname)) return res.status(421).end('It is at 127.0.0.1.')
  const db = logins.get(req.session.login)
  if (!db && req.session.login) {
    res.locals.ended = 'Your session has ended. '
    delete req.session.login
  }
  Object.assign(res.locals, { db, columns, csrf: generateToken(req), query: place(req.query) })
  next()
})
app.use(express.urlencoded({ extended: false, limit: '16kb' }), csrfSynchronisedProtection)

// Where in the list somebody is. A parameter that comes twice is not ours.
function place ({ find, sort, desc, after, before }) {
  const all = Object.entries({ find, sort, desc, after, before })
  return Object.fromEntries(all.filter(([, value]) => value && typeof value === 'string'))
}

// The address of the list, or of a client, that keeps that place but for what is to change.
app.locals.to = (path, query, changes) => {
  const text = new URLSearchParams(place({ ...query, ...changes })).toString()
  return text ? `${path}?${text}` : path
}

// The link that an administrator sends: the code is in its fragment, which no request carries.
app.locals.link = (code) => `${process.env.PORTAL_URL ?? 'http://127.0.0.1:3002/'}#${code}`

// Renders the list, or the client with this id, with what was just issued.
async function show (res, { id, result } = {}) {
  const { db, query } = res.locals
  if (!db) return res.render('page')
  const may = await rights(db)
  if (!may.read) return res.status(403).render('page', { may })
  const found = id ? { client: await one(db, id) } : await list(db, query, result?.id)
  if (id && !found.client) res.status(404)
  res.render('page', { may, id, result, ...found })
}

app.get('/', (req, res) => show(res))
app.get('/client/:id', (req, res) => show(res, req.params))

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
    if (!db) return res.status(401).render('page', { ended: 'Your session has ended, and nothing was done. ' })
    const [result] = await act(db, req.body)
    await show(res, { id: req.body.client, result })
  })
}

// What the database says may be shown, with its hint. The log gets no values and no statement.
app.use((error, req, res, next) => {
  const shown = error.expose || error.severity
  const words = shown ? [error.message, error.hint] : ['the console cannot do that now']
  const text = words.filter(Boolean).map((part) => part[0].toUpperCase() + part.slice(1).replace(/\.?$/, '.')).join(' ')
  if (!shown) console.error(`a request failed: ${error.code ?? error.name}`)
  res.status(error.statusCode ?? (shown ? 409 : 500))
  if (req.path.startsWith('/do/')) res.type('text').send(text)
  else res.render('page', { error: text, role: req.body?.role })
})
