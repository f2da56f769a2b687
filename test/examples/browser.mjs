// A real browser: Debian's Chromium, headless, without its sandbox (root has none) and
// without the calls home that a closed network refuses.
import { chromium } from 'playwright-core'

export const launch = () => chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync']
})
