// Demo portals, and whoever comes to them.
import { after, before } from 'node:test'
import { launch, person } from './browser.mjs'
import { startDemo } from './portal.mjs'
import { visitors } from './visitors.mjs'

// Gives the tests of a file one browser, and ways to use it: each has a portal of its own.
export function demos() {
  let browser
  before(async () => (browser = await launch()))
  after(() => browser?.close())

  // A portal of one test, and ways to let people come to it, and come signed in; all of them leave with the test.
  async function house(t) {
    const portal = await startDemo()
    const comes = visitors(t, portal, browser)
    const signsIn = async (name, { at, ...options } = {}) => {
      const one = await comes(options)
      await one.signIn(portal, name, at)
      return one
    }
    return { portal, comes, signsIn }
  }

  // Somebody whom the test itself lets leave.
  return { house, somebody: () => person(browser) }
}
