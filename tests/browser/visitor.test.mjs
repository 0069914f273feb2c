// What a visitor of the demo reads about themselves, before they are in and after.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { troubles } from './lib/accessible.mjs'
import { demos } from './lib/demo.mjs'

const { house } = demos()

test('somebody who is no administrator reads what they checked out, where and until when', async (t) => {
  const { portal, comes } = await house(t)
  const casey = await comes()
  await casey.signIn(portal, 'Casey Clark')
  await casey.page.getByRole('link', { name: 'Access' }).click()
  await casey.page.getByRole('button', { name: /^Check out/ }).first().click()
  await casey.page.getByRole('link', { name: 'Back to what is lent to you' }).click()
  await casey.page.getByRole('button', { name: /^Check in/ }).click()
  await casey.page.getByText('Nothing is lent to you.').waitFor()
  await casey.page.getByRole('link', { name: 'Audit trail' }).click()
  const trail = await casey.page.getByRole('region', { name: 'Audit trail' }).innerText()
  assert.match(trail, /Gone: operator at workshop[\s\S]*Checked in, and began to end: operator at workshop[\s\S]*Checked out operator at workshop until \d{4}-\d{2}-\d{2} \d{2}:\d{2} UTC/)
  assert.deepEqual(await troubles(casey.page), [])
  await casey.picture('demo-own-trail')
})

test('somebody who is asked something is named, finds back to the question, and can give the sign-in up', async (t) => {
  const { portal, comes } = await house(t)
  const ned = await comes()
  await ned.signIn(portal, 'Ned Newcomer')
  const banner = ned.page.getByRole('banner')
  assert.match(await banner.innerText(), /Ned Newcomer\s+not signed in yet/)
  await ned.page.getByRole('link', { name: 'All ways to sign in' }).click()
  assert.deepEqual(await troubles(ned.page), [])
  await ned.page.getByRole('link', { name: 'Your sign-in' }).click()
  assert.equal(await ned.heading(), 'One question, Ned Newcomer')
  await ned.page.getByRole('button', { name: 'Cancel sign-in' }).click()
  assert.equal(await ned.heading(), 'Sign in')
  assert.doesNotMatch(await banner.innerText(), /Ned/)
})

test('what is no form is told on a page with its code', async (t) => {
  const { portal, comes } = await house(t)
  const casey = await comes()
  await casey.signIn(portal, 'Casey Clark')
  await casey.page.goto(`${portal.url}/access`)
  const answer = casey.page.waitForResponse((response) => response.url().endsWith('/access/out'))
  await casey.page.locator('form.offer').first().evaluate((form) => {
    form.enctype = 'text/plain'
    form.submit()
  })
  assert.equal((await answer).status(), 415)
  await casey.page.waitForLoadState()
  assert.match(await casey.page.getByRole('alert').innerText(), /Not understood[\s\S]*portal\.media_type/)
  assert.deepEqual(await troubles(casey.page), [])
  await casey.picture('demo-no-form')
})
