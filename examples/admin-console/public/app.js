// What the page does by itself: dialogs, forms that are answered in place, copying, and
// the download. A secret is only ever in the dialog marked data-once.
const main = document.getElementById('main')
const once = () => document.querySelector('dialog[data-once]')
let saved = true
let fading

// Where a dialog is open, the rest of the page is inert: the dialog says it.
function say (text) {
  const place = document.querySelector('dialog[open] [role=status]') ?? document.querySelector('.toast')
  place.textContent = text ?? ''
  clearTimeout(fading)
  fading = setTimeout(() => { place.textContent = '' }, 5000)
}

function localTimes () {
  for (const time of document.querySelectorAll('time')) {
    time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: 'medium', timeStyle: 'short' })
  }
}

// Credentials go when their dialog closes; Escape does not close it before they are saved.
function showCredentials (dialog) {
  saved = false
  dialog.addEventListener('cancel', (event) => { if (!saved) event.preventDefault() })
  dialog.addEventListener('close', () => { dialog.remove(); saved = true; main.focus({ preventScroll: true }) })
  dialog.showModal()
}

addEventListener('submit', async (event) => {
  const form = event.target
  if (!form.matches('[data-swap]')) return
  event.preventDefault()
  const fail = (text) => { (form.querySelector('[role=alert]') ?? document.querySelector('.toast')).textContent = text }
  event.submitter.disabled = true
  try {
    const response = await fetch(form.action, { method: 'POST', body: new URLSearchParams(new FormData(form)) })
    if (response.status === 401) return location.assign('/')
    if (!response.ok) return fail(await response.text())
    const answer = new DOMParser().parseFromString(await response.text(), 'text/html').getElementById('main')
    const open = [...main.querySelectorAll('details[open]')].map(({ id }) => id)
    main.replaceChildren(...answer.childNodes)
    for (const id of open) document.getElementById(id)?.setAttribute('open', '')
    localTimes()
    say(main.querySelector('.head').dataset.done)
    if (once()) showCredentials(once())
    else main.focus({ preventScroll: true })
  } catch {
    fail('The console does not answer.')
  } finally {
    event.submitter.disabled = false
  }
})

addEventListener('click', async ({ target }) => {
  const button = target.closest('button')
  const { open, copy, file, name, close } = button?.dataset ?? {}
  if (open) {
    const dialog = document.getElementById(open)
    dialog.querySelector('form').reset()
    dialog.querySelector('[role=alert]').textContent = ''
    for (const [field, value] of Object.entries(button.dataset)) {
      for (const input of dialog.querySelectorAll(`input[name="${field}"]`)) input.value = value
      for (const place of dialog.querySelectorAll(`[data-text="${field}"]`)) place.textContent = value
    }
    dialog.showModal()
  } else if (copy) {
    await navigator.clipboard.writeText(copy)
    say('Copied.')
  } else if (file) {
    const link = document.createElement('a')
    link.href = URL.createObjectURL(new Blob([`${file}\n`], { type: 'application/json' }))
    link.download = `${name.replace(/[^\p{L}\p{N}._-]+/gu, '_')}.json`
    link.click()
    setTimeout(() => URL.revokeObjectURL(link.href), 1000)
    saved = true
    say('The file was downloaded.')
  } else if (close !== undefined) {
    button.closest('dialog').close()
  }
})

addEventListener('beforeunload', (event) => { if (!saved) event.preventDefault() })
addEventListener('pagehide', () => once()?.remove()) // a browser may keep a page that was left
localTimes()
