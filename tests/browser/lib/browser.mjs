// A real browser, one for each test file, and a person in front of it.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const PICTURES = fileURLToPath(new URL('../../../.work/screenshots/', import.meta.url))

export async function launch() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync',
    ],
  })
}

// A person with a browser profile of their own: nobody else's cookies.
export async function person(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options })
  context.setDefaultTimeout(15_000)
  return new Person(context, await context.newPage())
}

class Person {
  constructor(context, page) {
    this.context = context
    this.page = page
    this.complaints = []
    page.on('console', (message) => message.type() === 'error' && this.complaints.push(message.text()))
    page.on('pageerror', (error) => this.complaints.push(String(error)))
  }

  // Signs in at the demo provider as one of its people; ends on whatever page the portal answers with.
  async signIn(portal, name) {
    await this.page.goto(portal.url)
    await this.page.getByRole('link', { name: /^Sign in with/ }).first().click()
    await this.page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor()
    await this.page.getByRole('button', { name }).click()
    await this.page.waitForURL(`${portal.url}/**`)
  }

  async signOut() {
    await this.page.getByRole('button', { name: 'Sign out' }).click()
    await this.page.getByRole('heading', { name: 'Sign in', level: 1 }).waitFor()
  }

  // What stands under a heading of the page.
  async section(name) {
    return this.page.getByRole('region', { name, exact: false }).first().innerText()
  }

  async heading() {
    return this.page.getByRole('heading', { level: 1 }).innerText()
  }

  async picture(name) {
    await mkdir(PICTURES, { recursive: true })
    await this.page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true })
  }

  async leave() {
    await this.context.close()
  }
}
