// A real headless Chromium, the system's, for tests that sign in as a person would.
import { accessSync, constants, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const PICTURES = fileURLToPath(new URL('../../../.work/screenshots', import.meta.url))
const PROGRAMS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

// One browser for a file of tests; a `newContext()` of it is a person with an own, empty cookie jar.
export async function openChromium() {
  const executablePath = PROGRAMS.filter(Boolean).find(isProgram)
  if (!executablePath) throw new Error('Chromium is missing: run ./test --setup')
  // Its sandbox works neither as root nor in most containers, and all pages here are ours.
  return chromium.launch({ executablePath, chromiumSandbox: false, args: ['--disable-dev-shm-usage'] })
}

// Keeps a picture among the test artifacts.
export async function picture(page, name) {
  mkdirSync(PICTURES, { recursive: true })
  await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
}

function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
