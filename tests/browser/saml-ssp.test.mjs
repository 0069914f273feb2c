// A person in front of a real browser signs in by SAML at SimpleSAMLphp, which shares no code with us, and out again.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { signIn, startWorld } from './lib/ssp.mjs'

let world

before(async () => (world = await startWorld()))
after(() => world?.stop())

test('the first sign-in makes an account, and the second, with the session there, changes nothing', async (t) => {
  const { portal, comes } = await world.house(t)
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  assert.match(await alice.heading(), /Alice Example\s+active/)
  assert.match(await alice.section('What this sign-in changed'), /create/i)
  assert.match(await alice.section('Grants'), /role:engineer/)
  assert.match(await alice.section('Identity'), /alice@example\.com\s+verified/)
  await alice.picture('ssp-first-sign-in')
  await signIn(alice, portal)
  assert.match(await alice.section('What this sign-in changed'), /Nothing to change/)
})

test('somebody of another domain is denied, and so is somebody with the address of another', async (t) => {
  const { portal, comes } = await world.house(t)
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  for (const [name, code] of [['contractor', /Code policy\.no_rule/], ['mallory', /Code link\.subject_changed/]]) {
    const one = await comes()
    await signIn(one, portal, name)
    assert.equal(await one.heading(), 'No account came of this')
    assert.match(await one.page.getByRole('alert').innerText(), code)
  }
})

test('a response of which only the assertion is signed is taken as well', async (t) => {
  const { portal, comes } = await world.house(t, { options: { 'saml20.sign.response': false } })
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  assert.match(await alice.heading(), /Alice Example\s+active/)
})

test('whoever signs out here and there is asked for the password again', async (t) => {
  const { portal, comes } = await world.house(t)
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  await alice.page.getByRole('button', { name: 'Sign out' }).click()
  await alice.page.getByRole('link', { name: 'Sign out at Example too' }).click()
  await alice.page.waitForURL(`${portal.url}/`)
  await alice.page.getByRole('link', { name: 'Sign in with Example' }).click()
  await alice.page.getByLabel('Password').waitFor()
})

test('whoever signs out there is out here', async (t) => {
  const { portal, comes } = await world.house(t)
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  const back = `${world.idp.issuer}/simplesaml/logout.php`
  await alice.page.goto(`${world.idp.issuer}/simplesaml/saml2/idp/initSLO.php?RelayState=${encodeURIComponent(back)}`)
  await alice.page.waitForURL((url) => url.href.startsWith(back))
  await alice.page.goto(`${portal.url}/me`)
  assert.equal(await alice.heading(), 'Sign in')
})
