// What the page does by itself: forms whose answer takes the place of the content, copying,
// and the download. A secret is only ever in the dialog #once-.
const main = document.querySelector('main')
const once = () => document.querySelector('#once-')
let unsaved = false // are there credentials that nobody has downloaded?

// Where a dialog is open, the rest of the page is inert: the dialog says it.
const say = (text) => { document.querySelector('dialog[open] output, #said').textContent = text }

// Fetched, so that an answer with a secret is no page that the browser can go back to or repeat.
addEventListener('submit', async (event) => {
  const { target: form, submitter } = event
  if (!form.matches('[action^="/do/"]')) return
  event.preventDefault()
  submitter.disabled = true
  const body = new URLSearchParams(new FormData(form))
  const response = await fetch(form.action + location.search, { method: 'POST', body }).catch(() => {})
  const text = await response?.text() ?? 'The console does not answer.'
  submitter.disabled = false
  if (response?.status === 401) return location.assign('/')
  if (!response?.ok) return say(text)
  const page = new DOMParser().parseFromString(text, 'text/html')
  main.replaceChildren(...page.querySelector('main').children)
  main.focus({ preventScroll: true })
  say(submitter.dataset.done)
  unsaved = once() !== null
  once()?.showModal()
})

// Copies, or saves the file as it came from the database.
addEventListener('click', async ({ target }) => {
  const { copy, file, name } = target.closest('button')?.dataset ?? {}
  say('')
  if (copy) {
    await navigator.clipboard.writeText(copy)
    say('Copied.')
  } else if (file) {
    const href = URL.createObjectURL(new Blob([`${file}\n`], { type: 'application/json' }))
    const download = `${name.replace(/[^\p{L}\p{N}._-]+/gu, '_')}.json`
    Object.assign(document.createElement('a'), { href, download }).click()
    setTimeout(() => URL.revokeObjectURL(href), 1000)
    unsaved = false
    once().setAttribute('closedby', 'closerequest')
  }
})

// Escape does not lose what nobody has saved, also where the browser does not know `closedby`.
// A closed dialog forgets what was in it.
addEventListener('cancel', (event) => { if (unsaved) event.preventDefault() }, true)
addEventListener('close', ({ target: dialog }) => {
  unsaved = false
  dialog.querySelector('form').reset()
  once()?.remove()
}, true)
addEventListener('beforeunload', (event) => { if (unsaved) event.preventDefault() })
addEventListener('pagehide', () => once()?.remove()) // a browser may keep a page that was left
