// A person in front of a real browser signs in by SAML, and out again.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { troubles } from './lib/accessible.mjs'
import { demos } from './lib/demo.mjs'

const { house } = demos()

// The address of the demo's SAML provider, as its card on the first page names it.
async function provider(person, portal) {
  await person.page.goto(portal.url)
  const card = person.page.getByRole('link', { name: 'Sign in with Foundry' })
  return new URL(/http:\S+/.exec(await card.innerText())[0]).origin
}

test('the first sign-in by SAML makes an account and says why', async (t) => {
  const { portal, comes } = await house(t)
  const fay = await comes()
  await fay.signIn(portal, 'Fay Ferrous', 'Foundry')
  assert.match(await fay.heading(), /Fay Ferrous\s+active/)
  assert.match(await fay.section('What this sign-in changed'), /create/i)
  assert.match(await fay.section('Grants'), /role:smith/)
  assert.doesNotMatch(await fay.section('Grants'), /choir/, 'a group that no rule names gives nothing')
  assert.match(await fay.section('Identity'), /foundry\|fay[\s\S]*fay@foundry\.example\s+verified/)
  const ends = /This session ends (\S+ \S+) UTC/.exec(await fay.page.locator('main').innerText())[1]
  const hours = (new Date(`${ends.replace(' ', 'T')}Z`) - Date.now()) / 3_600_000
  assert.ok(hours > 3.9 && hours <= 4, 'as long as the provider says, although the policy gives 8 hours')
  assert.deepEqual(fay.complaints, [])
  await fay.picture('saml-first-sign-in')
})

test('the second sign-in by SAML changes nothing and says so', async (t) => {
  const { portal, comes } = await house(t)
  const fay = await comes()
  await fay.signIn(portal, 'Fay Ferrous', 'Foundry')
  const account = /Account\s+(\S+)/.exec(await fay.section('Identity'))[1]
  const other = await comes()
  await other.signIn(portal, 'Fay Ferrous', 'Foundry')
  assert.match(await other.section('What this sign-in changed'), /Nothing to change/)
  assert.match(await other.section('Identity'), new RegExp(account))
})

test('somebody of another domain is denied, and no account comes of it', async (t) => {
  const { portal, comes } = await house(t)
  const frank = await comes()
  await frank.signIn(portal, 'Frank Foreign', 'Foundry')
  assert.equal(await frank.heading(), 'No account came of this')
  assert.match(await frank.page.getByRole('alert').innerText(), /Code foundry\.domain_not_allowed/)
  await frank.picture('saml-denied')
})

test('a sign-in by SAML is held for consent and a name as any other', async (t) => {
  const { portal, comes } = await house(t)
  const finn = await comes()
  await finn.signIn(portal, 'Finn Fresh', 'Foundry')
  await finn.page.getByRole('button', { name: 'I agree' }).click()
  await finn.page.getByLabel('User name').fill('finn')
  await finn.page.getByRole('button', { name: 'Take this name' }).click()
  await finn.page.getByRole('heading', { name: /Finn Fresh/ }).waitFor()
  assert.match(await finn.page.locator('main').innerText(), /finn in tenant acme/)
})

test('one person comes by OpenID and by SAML once the link is proved', async (t) => {
  const { portal, comes } = await house(t)
  const alice = await comes()
  await alice.signIn(portal, 'Alice Example', 'Acme')
  await alice.signOut()
  await alice.signIn(portal, 'Alice Example', 'Foundry')
  assert.match(await alice.heading(), /Is this account yours/)
  await alice.continueAt(portal, 'Alice Example', 'Acme')
  assert.match(await alice.section('What this sign-in changed'), /link identity of foundry[\s\S]*proved/)
  assert.match(await alice.section('Identity'), /acme\|alice[\s\S]*foundry\|alice/)
  await alice.picture('saml-linked')

  const later = await comes()
  await later.signIn(portal, 'Alice Example', 'Foundry')
  assert.match(await later.section('What this sign-in changed'), /Nothing to change/)
})

test('a proof by SAML opens an account that came by another way, and the wrong one links nothing', async (t) => {
  const { portal, comes } = await house(t)
  const alice = await comes()
  await alice.signIn(portal, 'Alice Example', 'Acme')
  const thief = await comes()
  await thief.signIn(portal, 'Alice Example', 'Guild')
  await thief.continueAt(portal, 'Fay Ferrous', 'Foundry')
  assert.match(await thief.page.getByRole('alert').innerText(), /Code hold\.proof_refused/)
  await alice.page.reload()
  assert.doesNotMatch(await alice.section('Identity'), /guild|foundry/)
})

test('whoever cancels a proof tries again, and it is a proof again', async (t) => {
  const { portal, comes } = await house(t)
  const alice = await comes()
  await alice.signIn(portal, 'Alice Example', 'Acme')
  await alice.signOut()
  await alice.signIn(portal, 'Alice Example', 'Guild')
  await alice.continueAt(portal, 'Cancel', 'Foundry')
  assert.match(await alice.page.getByRole('alert').innerText(), /Code saml\.status_/)
  await alice.page.getByRole('link', { name: 'Try again' }).click()
  await alice.page.getByRole('button', { name: 'Fay Ferrous' }).click()
  await alice.page.getByRole('button', { name: 'Continue' }).click()
  assert.match(await alice.page.getByRole('alert').innerText(), /Code hold\.proof_refused/, 'it was taken as the proof')
})

test('a response counts in the browser that asked, and once', async (t) => {
  const { portal, comes } = await house(t)
  const fay = await comes()
  let answer
  fay.page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/saml/foundry/acs')) answer = request.postData()
  })
  await fay.signIn(portal, 'Fay Ferrous', 'Foundry')
  assert.ok((await fay.context.cookies()).every(({ name }) => !name.includes('jit-saml')), 'the cookie of the sign-in is gone')
  const post = (one) =>
    one.context.request.post(`${portal.url}/saml/foundry/acs`, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      data: answer,
    })
  const thief = await comes()
  for (const one of [thief, fay]) {
    const refused = await post(one)
    assert.equal(refused.status(), 403)
    assert.match(await refused.text(), /saml\.state_/)
  }
})

test('whoever cancels at the provider is told so', async (t) => {
  const { portal, comes } = await house(t)
  const fay = await comes()
  await fay.page.goto(portal.url)
  await fay.page.getByRole('link', { name: 'Sign in with Foundry' }).click()
  await fay.page.getByRole('button', { name: 'Cancel' }).click()
  await fay.page.getByRole('button', { name: 'Continue' }).click()
  assert.equal(await fay.heading(), 'No account came of this')
  assert.match(await fay.page.getByRole('alert').innerText(), /Code saml\.status_/)
})

test('whoever signs out here can sign out at the provider as well', async (t) => {
  const { portal, comes } = await house(t)
  const fay = await comes()
  const there = await provider(fay, portal)
  await fay.signIn(portal, 'Fay Ferrous', 'Foundry')
  await fay.page.goto(there)
  assert.match(await fay.page.locator('main').innerText(), /signed in as Fay Ferrous/)
  await fay.page.goto(`${portal.url}/me`)
  await fay.page.getByRole('button', { name: 'Sign out' }).click()
  assert.equal(await fay.heading(), 'Signed out')
  assert.deepEqual(await troubles(fay.page), [])
  await fay.picture('saml-signed-out')
  const onward = fay.page.getByRole('link', { name: 'Sign out at Foundry too' })
  await onward.click()
  await fay.page.waitForURL(`${portal.url}/`)
  await fay.page.goto(there)
  assert.match(await fay.page.locator('main').innerText(), /not signed in here/)
  await fay.page.goto(`${portal.url}/me`)
  assert.equal(await fay.heading(), 'Sign in')
})

test('whoever signs out at the provider is out here, and nobody else is', async (t) => {
  const { portal, comes } = await house(t)
  const fay = await comes()
  const there = await provider(fay, portal)
  await fay.signIn(portal, 'Fay Ferrous', 'Foundry')
  const elsewhere = await comes()
  await elsewhere.signIn(portal, 'Fay Ferrous', 'Foundry')
  const alice = await comes()
  await alice.signIn(portal, 'Alice Example', 'Acme')

  await fay.page.goto(there)
  await fay.page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await fay.page.getByText('signed out here and at the application').waitFor()
  await fay.page.goto(`${portal.url}/me`)
  assert.equal(await fay.heading(), 'Sign in')
  for (const other of [elsewhere, alice]) {
    await other.page.reload()
    assert.match(await other.heading(), /active/, 'another session goes on')
  }
})

test('a demand to sign out that nobody signed ends nothing', async (t) => {
  const { portal, comes } = await house(t)
  const fay = await comes()
  const there = await provider(fay, portal)
  await fay.signIn(portal, 'Fay Ferrous', 'Foundry')
  let demand
  fay.page.on('request', (request) => {
    if (request.url().includes('/saml/foundry/logout?SAMLRequest=')) demand = new URL(request.url())
  })
  const other = await comes()
  await other.signIn(portal, 'Fay Ferrous', 'Foundry')
  await fay.page.goto(there)
  await fay.page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await fay.page.getByText('signed out here').waitFor()
  const again = await other.context.request.get(demand.href, { maxRedirects: 0 })
  assert.equal(again.status(), 403, 'the same demand counts once')
  demand.searchParams.delete('Signature')
  demand.searchParams.delete('SigAlg')
  const forged = await other.context.request.get(demand.href, { maxRedirects: 0 })
  assert.equal(forged.status(), 403)
  await other.page.reload()
  assert.match(await other.heading(), /active/)
})

test('the portal describes itself to providers', async (t) => {
  const { portal, comes } = await house(t)
  const fay = await comes()
  const answer = await fay.context.request.get(`${portal.url}/saml/foundry/metadata`)
  assert.equal(answer.headers()['content-type'], 'application/samlmetadata+xml')
  const text = await answer.text()
  assert.match(text, /EntityDescriptor[\s\S]*AssertionConsumerService[^>]*\/saml\/foundry\/acs/)
  assert.match(text, /SingleLogoutService[^>]*\/saml\/foundry\/logout/)
})
