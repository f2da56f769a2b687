// Takes up the invitation in the address's fragment, which no request carries. The credentials are
// in this document alone: reloading or leaving the page takes them away.
const find = (id) => document.getElementById(id)
const code = location.hash.slice(1)
let unsaved = false // are there credentials that nobody has downloaded or copied?
let file

const say = (text, kind) => Object.assign(find('said'), { textContent: text, className: kind })
const refuse = () => say('This invitation is not good, or is no longer. Ask whoever sent it for a new one. If you have not opened it before, tell them: somebody else may have.', 'error')

if (code) find('ask').hidden = false
else refuse()

find('accept').addEventListener('click', async ({ target: button }) => {
  button.disabled = true
  say('')
  const response = await fetch('accept', {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ code })
  }).catch(() => {})
  if (response?.status === 404) {
    find('ask').hidden = true
    return refuse()
  }
  if (!response?.ok) {
    button.disabled = false
    return say('The server does not answer. Try again; if the invitation is gone then, ask for a new one.', 'error')
  }
  const { clientName, clientId, clientSecret, expiresAt } = await response.json()
  history.replaceState(null, '', location.pathname) // the code is used up
  file = JSON.stringify({ clientName, clientId, clientSecret }, null, 2)
  find('name').textContent = clientName
  find('id').textContent = clientId
  find('secret').textContent = clientSecret
  find('end').textContent = expiresAt ? new Date(expiresAt).toLocaleString() : 'it has no end'
  find('ask').hidden = true
  find('once').hidden = false
  unsaved = true
})

find('download').addEventListener('click', () => {
  const href = URL.createObjectURL(new Blob([`${file}\n`], { type: 'application/json' }))
  const name = JSON.parse(file).clientName.replace(/[^\p{L}\p{N}._-]+/gu, '_')
  Object.assign(document.createElement('a'), { href, download: `${name}.json` }).click()
  setTimeout(() => URL.revokeObjectURL(href), 1000)
  unsaved = false
  say('Downloaded.', 'success')
})

document.addEventListener('click', async ({ target }) => {
  if (!target.dataset.copy) return
  const done = await navigator.clipboard.writeText(find(target.dataset.copy).textContent).then(() => true, () => false)
  if (done && target.dataset.copy === 'secret') unsaved = false
  say(done ? 'Copied.' : 'The browser did not let this page copy. Select the text and copy it.', done ? 'success' : 'error')
})

addEventListener('beforeunload', (event) => { if (unsaved) event.preventDefault() })
// A page that comes back from the browser's cache would bring the secret with it.
addEventListener('pagehide', () => { find('once').remove() })
// Another invitation that is opened in the same tab is another page.
addEventListener('hashchange', () => location.reload())
