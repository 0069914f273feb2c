// Whoever comes to a portal in a test.
import assert from 'node:assert/strict'
import { person } from './browser.mjs'

// Gives a way to let people come to a portal; all of them leave with the test, and then the portal ends.
export function visitors(t, portal, browser) {
  const people = []
  t.after(async () => {
    await Promise.all(people.map((one) => one.leave()))
    assert.equal(await portal.stop(), 0, 'the portal ends in good order')
  })
  return async (options) => {
    const one = await person(browser, options)
    people.push(one)
    return one
  }
}
