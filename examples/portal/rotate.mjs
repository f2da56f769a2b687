// A client rotates its own secret, from a timer: node rotate.mjs FILE PORTAL [TOKEN_ENDPOINT]
// FILE is the JSON file that was downloaded. Both secrets are good for the portal's overlap, so
// a program that reads FILE before or after is served; if anything fails here, run it again.
import { open, readFile, rename, unlink } from 'node:fs/promises'

const [file, portal, endpoint] = process.argv.slice(2)
const old = JSON.parse(await readFile(file, 'utf8'))

// RFC 6749, section 2.3.1: both parts are form-urlencoded before they are put together.
const authorization = ({ clientId, clientSecret }) => 'Basic ' +
  Buffer.from([clientId, clientSecret].map(encodeURIComponent).join(':')).toString('base64')

// The next credentials.
const answer = await fetch(new URL('rotate', portal), { method: 'POST', headers: { authorization: authorization(old) } })
if (!answer.ok) throw new Error(`the portal answers ${answer.status}`)
const { clientName, clientId, clientSecret } = await answer.json()

// The new file takes the old one's place in one step, and only once it is on the disk: a reader
// sees the one or the other, never a half.
const temporary = `${file}.${process.pid}`
const handle = await open(temporary, 'wx', 0o600)
try {
  await handle.writeFile(`${JSON.stringify({ clientName, clientId, clientSecret }, null, 2)}\n`)
  await handle.sync()
  await handle.close()
  await rename(temporary, file)
} catch (error) {
  await unlink(temporary)
  throw error
}

// Does it work where it is used? The old one still does, until the overlap ends.
if (endpoint) {
  const token = await fetch(endpoint, {
    method: 'POST',
    headers: { authorization: authorization({ clientId, clientSecret }) },
    body: new URLSearchParams({ grant_type: 'client_credentials' })
  })
  if (!token.ok) throw new Error(`the token endpoint answers ${token.status} to the new secret`)
}
console.log(`rotated the secret of ${clientId}`)
