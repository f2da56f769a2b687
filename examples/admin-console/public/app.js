// What the page does by itself: forms whose answer takes the place of the content, copying,
// and the download. A secret is only ever in the dialog #once.
const main = () => document.querySelector('main')
const once = () => document.querySelector('#once')
let unsaved = false // are there credentials that nobody has downloaded or copied?

// Where a dialog is open, the rest of the page is inert: the dialog says it.
function say (text, kind = 'success') {
  const place = document.querySelector('dialog[open] output, #said')
  place.className = kind
  place.textContent = text
}

// Fetched, so that an answer with a secret is no page that the browser can go back to or repeat.
addEventListener('submit', async (event) => {
  const { target: form, submitter } = event
  if (!form.matches('[action^="/do/"]')) return
  event.preventDefault()
  submitter.disabled = true
  const body = new URLSearchParams(new FormData(form))
  const response = await fetch(form.action + location.search, { method: 'POST', body }).catch(() => {})
  const text = await response?.text() ?? 'The console does not answer. Whether that was done is not known.'
  submitter.disabled = false
  if (!response?.headers.get('content-type').includes('html')) return say(text, 'error')
  const page = new DOMParser().parseFromString(text, 'text/html')
  if (response.status === 401) {
    document.body.replaceWith(page.body)
    return document.querySelector('#role').focus()
  }
  main().replaceChildren(...page.querySelector('main').children)
  main().focus({ preventScroll: true })
  say(submitter.dataset.done ?? '')
  unsaved = once() !== null
  once()?.showModal()
})

// Copies, or saves the file as it came from the database.
addEventListener('click', async ({ target }) => {
  const button = target.closest('button')
  const { copy, file, name, leave, stay } = button?.dataset ?? {}
  say('')
  if (copy) {
    const done = await navigator.clipboard.writeText(copy).then(() => true, () => false)
    say(done ? 'Copied.' : 'The browser did not let this page copy. Select the text and copy it.', done ? 'success' : 'error')
    if (done && button.closest('.secret')) unsaved = false
  } else if (file) {
    const href = URL.createObjectURL(new Blob([`${file}\n`], { type: 'application/json' }))
    const download = `${name.replace(/[^\p{L}\p{N}._-]+/gu, '_')}.json`
    Object.assign(document.createElement('a'), { href, download }).click()
    setTimeout(() => URL.revokeObjectURL(href), 1000)
    unsaved = false
  } else if (leave !== undefined) close()
  else if (stay !== undefined) ask(false)
})

// Closes the credentials, or asks first if nobody has saved them.
const close = () => unsaved ? ask(true) : once().close()
function ask (asking) {
  const [buttons, question] = once().querySelectorAll('form')
  buttons.hidden = asking
  question.hidden = !asking
  once().querySelector(asking ? '[data-stay]' : '[autofocus]').focus()
}

// The browser does not close that dialog (closedby), or is told not to: Escape is ours there.
addEventListener('cancel', (event) => { if (event.target === once()) event.preventDefault() }, true)
addEventListener('keydown', (event) => {
  if (event.key !== 'Escape' || !once()) return
  event.preventDefault()
  if (once().querySelector('.question').hidden) close()
  else ask(false)
})

// A closed dialog forgets what was in it, and the keyboard goes on at the client that was added.
addEventListener('close', ({ target: dialog }) => {
  unsaved = false
  dialog.querySelector('form').reset()
  dialog.querySelector('output').textContent = ''
  if (dialog !== once()) return
  dialog.remove()
  document.querySelector('.added a')?.focus()
}, true)
addEventListener('beforeunload', (event) => { if (unsaved) event.preventDefault() })
addEventListener('pagehide', () => once()?.remove()) // a browser may keep a page that was left
