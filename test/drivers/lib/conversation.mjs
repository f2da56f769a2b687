// The client's side of a conversation with judge.py (see ../README.md): one line for each call
// on standard input, one line for its answer on standard output.
import { createInterface } from 'node:readline'
import { createRequire } from 'node:module'

// Answers until the input ends. The calls are the snippet's own, without their connection;
// traps is a list of [what, function], where the function tells whether the trap is there.
export async function converse(library, { authenticate, add, revoke, traps = [], sqlstate = (e) => e.code }) {
  const answers = {
    async authenticate(id, secret) {
      const row = await authenticate(id, secret)
      return row === null ? ['none'] : ['row', row.client_name, row.scopes.join()]
    },
    async add(name, scopes) {
      const row = await add(name, scopes.split(','))
      return ['added', row.client_id, row.client_secret, row.secret_id]
    },
    async revoke(secretId) {
      await revoke(secretId)
      return ['done']
    },
    async traps(...args) {
      for (const [what, there] of traps) {
        console.log(['trap', await there(...args).catch((e) => e) === true ? 'yes' : 'no', what].join('\t'))
      }
      return ['end']
    },
  }
  console.log(`# ${version(library)}`)
  for await (const line of createInterface({ input: process.stdin })) {
    const [call, ...args] = line.split('\t')
    const answer = await answers[call](...args).catch((e) => ['error', sqlstate(e), String(e)])
    console.log(answer.join('\t').replaceAll('\n', ' '))
  }
}

// Some packages do not let their package.json be imported.
function version(library) {
  const paths = createRequire(import.meta.url).resolve.paths(library)
  const require = createRequire(import.meta.url)
  for (const path of paths) {
    try {
      return require(`${path}/${library}/package.json`).version
    } catch { /* the next one */ }
  }
}

// Whether calling f prints or throws something that has the text in it.
export async function shows(text, f) {
  const print = { ...console }
  let seen = ''
  for (const name of ['log', 'info', 'debug', 'error', 'warn']) console[name] = (...what) => { seen += what.join(' ') }
  try {
    await f()
  } catch (e) {
    seen += e.message
  } finally {
    Object.assign(console, print)
  }
  return seen.includes(text)
}
