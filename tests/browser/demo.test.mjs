// A person in front of a real browser uses the demo portal.
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { troubles } from './lib/accessible.mjs'
import { demos } from './lib/demo.mjs'
import { startDemo } from './lib/portal.mjs'

const { house, somebody } = demos()

test('the first sign-in makes an account and says why', async (t) => {
  const { portal, comes } = await house(t)
  const alice = await comes()
  await alice.signIn(portal, 'Alice Example')
  assert.match(await alice.heading(), /Alice Example\s+active/)
  assert.match(await alice.section('What this sign-in changed'), /create/i)
  assert.match(await alice.section('Why'), /permitted[\s\S]*decided/)
  assert.match(await alice.section('Grants'), /role:engineer[\s\S]*no end of its own/)
  assert.match(await alice.section('Identity'), /acme\|alice[\s\S]*alice@acme\.example\s+verified/)
  assert.deepEqual(alice.complaints, [])
  await alice.picture('demo-first-sign-in')
})

test('the second sign-in changes nothing and says so', async (t) => {
  const { portal, comes } = await house(t)
  const bob = await comes()
  await bob.signIn(portal, 'Bob Brown')
  const account = /Account\s+(\S+)/.exec(await bob.section('Identity'))[1]
  await bob.signOut()
  await bob.signIn(portal, 'Bob Brown')
  assert.match(await bob.section('What this sign-in changed'), /Nothing to change/)
  assert.match(await bob.section('Identity'), new RegExp(account))
  await bob.picture('demo-second-sign-in')
})

test('a group that no rule names gives nothing', async (t) => {
  const { portal, comes } = await house(t)
  const bob = await comes()
  await bob.signIn(portal, 'Bob Brown')
  const grants = await bob.section('Grants')
  assert.match(grants, /role:seller/)
  assert.doesNotMatch(grants, /lunch/)
})

test('somebody of another domain is denied, and no account comes of it', async (t) => {
  const { portal, comes } = await house(t)
  const erin = await comes()
  await erin.signIn(portal, 'Erin Elsewhere')
  assert.equal(await erin.heading(), 'No account came of this')
  assert.match(await erin.page.getByRole('alert').innerText(), /Code acme\.domain_not_allowed/)
  assert.match(await erin.section('Why'), /denied/)
  await erin.picture('demo-denied')
  await erin.page.goto(`${portal.url}/me`)
  assert.equal(await erin.heading(), 'Sign in')

  const alice = await comes()
  await alice.signIn(portal, 'Alice Example')
  await alice.page.getByRole('link', { name: 'Administration' }).click()
  assert.doesNotMatch(await alice.section('Accounts'), /erin/i)
})

test('somebody who is held comes in once an administrator has approved', async (t) => {
  const { portal, comes } = await house(t)
  const pat = await comes()
  await pat.signIn(portal, 'Pat Pending')
  assert.equal(await pat.heading(), 'Waiting for approval')
  await pat.picture('demo-held')
  await pat.page.goto(`${portal.url}/me`)
  assert.equal(await pat.heading(), 'Sign in')

  const alice = await comes()
  await alice.signIn(portal, 'Alice Example')
  await alice.page.getByRole('link', { name: 'Administration' }).click()
  await alice.picture('demo-administration')
  await alice.page.getByRole('button', { name: 'Approve Pat Pending' }).click()
  await alice.page.getByText('Nobody is waiting.').waitFor()

  await pat.signIn(portal, 'Pat Pending')
  assert.match(await pat.heading(), /Pat Pending\s+active/)
  assert.match(await pat.section('Grants'), /role:accountant/)
})

test('somebody whom an administrator refuses stays outside', async (t) => {
  const { portal, comes } = await house(t)
  const pat = await comes()
  await pat.signIn(portal, 'Pat Pending')
  const alice = await comes()
  await alice.signIn(portal, 'Alice Example')
  await alice.page.goto(`${portal.url}/admin`)
  await alice.page.getByRole('button', { name: 'Refuse Pat Pending' }).click()
  await alice.page.getByText('Nobody is waiting.').waitFor()
  await pat.signIn(portal, 'Pat Pending')
  assert.equal(await pat.heading(), 'No account came of this')
})

test('an unverified address of somebody else gets nothing', async (t) => {
  const { portal, comes } = await house(t)
  const alice = await comes()
  await alice.signIn(portal, 'Alice Example')
  const mallory = await comes()
  await mallory.signIn(portal, 'Mallory Mask')
  assert.equal(await mallory.heading(), 'No account came of this')
  assert.match(await mallory.page.getByRole('alert').innerText(), /Code acme\.address_not_proved/)
  await mallory.picture('demo-collision')

  await alice.signOut()
  await alice.signIn(portal, 'Alice Example')
  const identity = await alice.section('Identity')
  assert.doesNotMatch(identity, /mallory/)
  assert.match(await alice.section('What this sign-in changed'), /Nothing to change/)
})

test('somebody agrees to the terms and chooses a user name', async (t) => {
  const { portal, comes } = await house(t)
  const bob = await comes()
  await bob.signIn(portal, 'Bob Brown')
  const ned = await comes()
  await ned.signIn(portal, 'Ned Newcomer')
  await ned.picture('demo-consent')
  await ned.page.getByRole('button', { name: 'I agree' }).click()
  const field = ned.page.getByLabel('User name')
  await field.fill('BOB')
  await ned.page.getByRole('button', { name: 'Take this name' }).click()
  await ned.page.getByRole('alert').getByText(/taken/).waitFor()
  await ned.picture('demo-user-name-taken')
  await field.fill('ned.the.first')
  await ned.page.getByRole('button', { name: 'Take this name' }).click()
  await ned.page.getByRole('heading', { name: /Ned Newcomer/ }).waitFor()
  assert.match(await ned.page.locator('main').innerText(), /ned\.the\.first in tenant acme/)

  await ned.signOut()
  await ned.signIn(portal, 'Ned Newcomer')
  assert.match(await ned.section('What this sign-in changed'), /Nothing to change/)
})

test('somebody who does not agree gets no account', async (t) => {
  const { portal, comes } = await house(t)
  const ned = await comes()
  await ned.signIn(portal, 'Ned Newcomer')
  await ned.page.getByRole('button', { name: 'No, thank you' }).click()
  assert.equal(await ned.heading(), 'No account came of this')
})

test('the account of a contractor ends with the contract', async (t) => {
  const { portal, comes } = await house(t)
  const casey = await comes()
  await casey.signIn(portal, 'Casey Clark')
  assert.match(await casey.page.locator('main').innerText(), /Ends\s+\d{4}-\d{2}-01 00:00 UTC/)
  await casey.picture('demo-contractor')
})

test('the audit trail tells who came, who did not, and by which rule', async (t) => {
  const { portal, comes } = await house(t)
  const erin = await comes()
  await erin.signIn(portal, 'Erin Elsewhere')
  const alice = await comes()
  await alice.signIn(portal, 'Alice Example')
  await alice.page.getByRole('link', { name: 'Audit trail' }).click()
  const trail = await alice.page.getByRole('region', { name: 'Audit trail' }).innerText()
  assert.match(trail, /account\.created[\s\S]*done/)
  assert.match(trail, /refused: acme\.domain_not_allowed/)
  assert.doesNotMatch(trail, /@acme\.example/, 'the trail holds no claim values')
  await alice.picture('demo-audit-trail')
})

test('only administrators see the administration, and who changes accounts has to mean it', async (t) => {
  const { portal, comes } = await house(t)
  const bob = await comes()
  await bob.signIn(portal, 'Bob Brown')
  assert.equal((await bob.page.goto(`${portal.url}/admin`)).status(), 403)

  const pat = await comes()
  await pat.signIn(portal, 'Pat Pending')
  const alice = await comes()
  await alice.signIn(portal, 'Alice Example')
  await alice.page.goto(`${portal.url}/admin`)
  const account = await alice.page.locator('input[name=account]').first().inputValue()
  const forged = await alice.context.request.post(`${portal.url}/admin/decide`, {
    form: { account, act: 'approve', csrf: 'guessed' },
  })
  assert.equal(forged.status(), 403)
})

test('an answer of the provider counts in the browser that asked, and once', async (t) => {
  const { portal, comes } = await house(t)
  const bob = await comes()
  let answer
  bob.page.on('request', (request) => {
    if (request.url().startsWith(`${portal.url}/callback`)) answer = request.url()
  })
  await bob.signIn(portal, 'Bob Brown')
  assert.ok((await bob.context.cookies()).every(({ name }) => !name.includes('jit-oidc')), 'the cookie of the sign-in is gone')
  const other = await comes()
  await other.page.goto(answer)
  assert.equal(await other.heading(), 'No account came of this')
  await bob.page.goto(answer)
  assert.equal(await bob.heading(), 'No account came of this')
})

test('accounts outlive the portal', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'portal-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const visit = async () => {
    const portal = await startDemo(folder)
    const alice = await somebody()
    try {
      await alice.signIn(portal, 'Alice Example')
      return [await alice.section('Identity'), await alice.section('What this sign-in changed')]
    } finally {
      await alice.leave()
      await portal.stop()
    }
  }
  const [before] = await visit()
  const [after, changed] = await visit()
  assert.equal(after, before)
  assert.match(changed, /Nothing to change/)
})

test('every page reads well in light and dark, wide and narrow, and needs no script', async (t) => {
  const { portal, comes } = await house(t)
  for (const [colorScheme, width] of [['light', 1200], ['dark', 1200], ['light', 360]]) {
    const alice = await comes({ colorScheme, viewport: { width, height: 800 }, javaScriptEnabled: true })
    const look = async (place) =>
      assert.deepEqual(await troubles(alice.page), [], `${place}, ${colorScheme}, ${width} px`)
    await alice.page.goto(portal.url)
    await look('home')
    await alice.page.getByRole('link', { name: /^Sign in with/ }).first().click()
    await alice.page.getByRole('button', { name: 'Alice Example' }).waitFor()
    await look('provider')
    await alice.page.getByRole('button', { name: 'Alice Example' }).click()
    await alice.page.waitForURL(`${portal.url}/me`)
    for (const place of ['me', 'access', 'audit', 'admin', 'leases']) {
      await alice.page.goto(`${portal.url}/${place}`)
      await look(place)
    }
    await alice.signOut()
    for (const [name, place] of [['Erin Elsewhere', 'denied'], ['Pat Pending', 'held'], ['Ned Newcomer', 'question']]) {
      await alice.signIn(portal, name)
      await look(place)
    }
    if (width < 1000) await alice.picture('demo-narrow')
  }
})

test('somebody who comes another way proves that the account is theirs, and then both ways open it', async (t) => {
  const { portal, comes } = await house(t)
  const alice = await comes()
  await alice.signIn(portal, 'Alice Example')
  await alice.signOut()
  await alice.signIn(portal, 'Alice Example', 'Guild')
  assert.match(await alice.heading(), /Is this account yours/)
  await alice.picture('demo-link-proof')
  const asked = []
  alice.page.on('request', (request) => asked.push(new URL(request.url()).searchParams))
  await alice.continueAt(portal, 'Alice Example', 'Acme')
  const proof = asked.find((query) => query.has('code_challenge'))
  assert.deepEqual([proof.get('prompt'), proof.get('max_age')], ['login', '0'])
  assert.match(await alice.heading(), /Alice Example\s+active/)
  assert.match(await alice.section('What this sign-in changed'), /link identity of guild[\s\S]*proved/)
  assert.match(await alice.section('Identity'), /acme\|alice[\s\S]*guild\|7001/)
  assert.match(await alice.section('Grants'), /role:admin[\s\S]*role:guest|role:guest[\s\S]*role:admin/)
  await alice.picture('demo-linked')

  await alice.signOut()
  await alice.signIn(portal, 'Alice Example', 'Guild')
  assert.match(await alice.section('What this sign-in changed'), /Nothing to change/)
})

test('a proof with the wrong account links nothing', async (t) => {
  const { portal, comes } = await house(t)
  const alice = await comes()
  await alice.signIn(portal, 'Alice Example')
  const thief = await comes()
  await thief.signIn(portal, 'Bob Brown')
  await thief.signOut()
  await thief.signIn(portal, 'Alice Example', 'Guild')
  await thief.continueAt(portal, 'Bob Brown', 'Acme')
  assert.match(await thief.page.getByRole('alert').innerText(), /Code hold\.proof_refused/)
  await alice.page.reload()
  assert.doesNotMatch(await alice.section('Identity'), /guild/)
})

test('a guest agrees, chooses a name and a password, and comes in by form post', async (t) => {
  const { portal, comes } = await house(t)
  const gwen = await comes()
  await gwen.signIn(portal, 'Gwen Guild', 'Guild')
  await gwen.page.getByRole('button', { name: 'I agree' }).click()
  await gwen.page.getByLabel('User name').fill('gwen')
  await gwen.page.getByRole('button', { name: 'Take this name' }).click()
  const field = gwen.page.getByLabel('Password')
  await field.fill('short')
  await gwen.page.getByRole('button', { name: 'Go on' }).click()
  await gwen.page.getByRole('alert').getByText('12 characters').waitFor()
  await field.fill('long enough for anybody')
  await gwen.picture('demo-password')
  await gwen.page.getByRole('button', { name: 'Go on' }).click()
  await gwen.page.getByRole('heading', { name: /Gwen Guild/ }).waitFor()
  assert.match(await gwen.section('Grants'), /role:guest/)
  assert.match(await gwen.page.locator('main').innerText(), /gwen in tenant acme/)
})

test('a session ends when an administrator suspends the account, and a sign-in does not revive it', async (t) => {
  const { portal, comes } = await house(t)
  const bob = await comes()
  await bob.signIn(portal, 'Bob Brown')
  const alice = await comes()
  await alice.signIn(portal, 'Alice Example')
  await alice.page.getByRole('link', { name: 'Administration' }).click()
  await alice.page.getByRole('button', { name: 'Suspend Bob Brown' }).click()
  await alice.page.getByRole('button', { name: 'Reactivate Bob Brown' }).waitFor()
  await bob.page.goto(`${portal.url}/me`)
  assert.equal(await bob.heading(), 'Sign in')
  await bob.signIn(portal, 'Bob Brown')
  assert.match(await bob.page.getByRole('alert').innerText(), /Code account\.suspended/)

  await alice.page.getByRole('button', { name: 'Reactivate Bob Brown' }).click()
  await alice.page.getByRole('button', { name: 'Suspend Bob Brown' }).waitFor()
  await bob.signIn(portal, 'Bob Brown')
  assert.match(await bob.heading(), /Bob Brown\s+active/)
})

test('the last administrator cannot be suspended', async (t) => {
  const { portal, comes } = await house(t)
  const alice = await comes()
  await alice.signIn(portal, 'Alice Example')
  await alice.page.goto(`${portal.url}/admin`)
  await alice.page.getByRole('button', { name: 'Suspend Alice Example' }).click()
  assert.match(await alice.page.getByRole('alert').innerText(), /Code access\.last_holder/)
  await alice.page.goto(`${portal.url}/me`)
  assert.match(await alice.heading(), /Alice Example\s+active/)
})

test('whoever signs out is out, and the session cannot be used again', async (t) => {
  const { portal, comes } = await house(t)
  const bob = await comes()
  await bob.signIn(portal, 'Bob Brown')
  const kept = await bob.context.cookies()
  await bob.signOut()
  await bob.context.addCookies(kept)
  await bob.page.goto(`${portal.url}/me`)
  assert.equal(await bob.heading(), 'Sign in')
})

test('somebody who cancels at the provider is told so', async (t) => {
  const { portal, comes } = await house(t)
  const bob = await comes()
  await bob.signIn(portal, 'Cancel, I am none of them')
  assert.match(await bob.page.getByRole('alert').innerText(), /Code oidc\.provider_access_denied/)
})
