// What the examples' tests share: named results, the administrator's connection, and the
// example's own process. Connects as PG* says; roles test_admin and test_service.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import pg from 'pg'

// Runs one test: its function throws, or it is ok.
export async function test (name, run) {
  try {
    await run()
    console.log(`ok ${name}`)
  } catch (error) {
    console.log(`FAILED ${name}: ${error.message.split('\n').join(' | ')}`)
    console.log(error.stack)
  }
}

// Every secret that was issued: the runner looks for them in all that the server wrote.
export const secrets = []

// Says that the whole program has run.
export function end () {
  appendFileSync(process.env.SECRETS, secrets.map((secret) => `${secret}\n`).join(''))
  console.log('end')
}

// Repeats a function until it gives something true; the runner ends a test that waits too long.
export async function until (look) {
  for (;;) {
    const found = await look()
    if (found) return found
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

export const admin = new pg.Client({ user: 'test_admin', application_name: 'test' })
await admin.connect()
export const superuser = new pg.Client({ user: 'postgres', application_name: 'test' })
await superuser.connect()

export async function addClient (name, { expires = null, scopes = [] } = {}) {
  const { rows } = await admin.query('SELECT * FROM mogo.mogo_add_client($1, $2, $3)', [name, expires, scopes])
  secrets.push(rows[0].client_secret)
  return { id: rows[0].client_id, secret: rows[0].client_secret, secretId: rows[0].secret_id }
}

// Starts an example and waits for the line that says where it is. Gives the URL's origin,
// all that it has printed, and stop().
export async function start (directory, env) {
  const child = spawn(process.execPath, ['server.mjs'], {
    cwd: directory,
    env: { ...process.env, PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const example = { output: '', stop: () => child.exitCode === null && (child.kill(), once(child, 'exit')) }
  child.stderr.on('data', (data) => { example.output += data })
  for await (const line of createInterface({ input: child.stdout })) {
    example.output += `${line}\n`
    example.origin = /http:\/\/[^/\s]+/.exec(line)?.[0]
    if (example.origin) break
  }
  if (!example.origin) throw new Error(`${directory} did not start: ${example.output}`)
  child.stdout.on('data', (data) => { example.output += data })
  child.stdout.resume()
  return example
}
