// A real browser, one for each test file, and a person in front of it.
import { openChromium, picture } from '../../peers/lib/chromium.mjs'

export const launch = openChromium

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

  // Signs in at a demo provider as one of its people; ends on whatever page the portal answers with.
  async signIn(portal, name, provider = 'Acme') {
    await this.page.goto(portal.url)
    await this.continueAt(portal, name, provider)
  }

  // The same from a page of the portal that offers the provider.
  async continueAt(portal, name, provider) {
    await this.page.getByRole('link', { name: `Sign in with ${provider}` }).click()
    await this.page.getByRole('button', { name }).click()
    // A provider that answers by form shows a button for it: no script sends the form.
    if (['Guild', 'Foundry'].includes(provider)) await this.page.getByRole('button', { name: 'Continue' }).click()
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
    await picture(this.page, name)
  }

  async leave() {
    await this.context.close()
  }
}
