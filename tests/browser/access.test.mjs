// A person in front of a real browser checks out accounts at the demo's target.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { troubles } from './lib/accessible.mjs'
import { demos } from './lib/demo.mjs'

const { house } = demos()

async function ask(one, portal, role, span) {
  await one.page.goto(`${portal.url}/access`)
  const form = one.page.locator('form.offer').filter({ hasText: `${role} at workshop` }).first()
  await form.getByLabel('For').selectOption(span)
  await form.getByLabel('Reason').fill('ticket 4711')
  await form.getByRole('button', { name: `Check out ${role} at workshop` }).click()
  await one.page.getByRole('heading', { name: 'Checked out' }).waitFor()
}

async function checkOut(one, portal, role, span) {
  await ask(one, portal, role, span)
  const [name, secret] = await Promise.all(['#name', '#secret'].map((place) => one.page.locator(place).innerText()))
  return { name, secret }
}

test('an account is checked out, counts down, is extended and checked in', async (t) => {
  const { portal, signsIn } = await house(t)
  const alice = await signsIn('Alice Example')
  await alice.page.getByRole('link', { name: 'Access' }).click()
  assert.match(await alice.section('Lent to you'), /Nothing is lent to you/)
  await alice.picture('access-offers')

  const { name, secret } = await checkOut(alice, portal, 'operator', '30m')
  assert.match(name, /^jit-/)
  assert.ok(secret.length >= 16)
  assert.deepEqual(await troubles(alice.page), [])
  await alice.picture('access-secret')

  await alice.page.getByRole('link', { name: 'Back to what is lent' }).click()
  const lent = await alice.section('Lent to you')
  assert.match(lent, new RegExp(`operator at workshop\\s+active[\\s\\S]*${name}[\\s\\S]*ticket 4711[\\s\\S]*present`))
  assert.ok(!(await alice.page.content()).includes(secret), 'the secret is shown once')
  const clock = alice.page.locator('time[data-countdown]').first()
  await clock.filter({ hasText: /^(29|30):\d\d left$/ }).waitFor()
  assert.deepEqual(await troubles(alice.page), [])
  await alice.picture('access-lent')

  await alice.page.getByLabel('How long from now').selectOption('2h')
  await alice.page.getByRole('button', { name: `Extend ${name}` }).click()
  await clock.filter({ hasText: /^(1:59|2:00):\d\d left$/ }).waitFor()

  await alice.page.getByRole('button', { name: `Check in ${name}` }).click()
  await alice.page.getByText('Nothing is lent to you').waitFor()
  assert.deepEqual(alice.complaints, [])
})

test('an account that was there before holds more for a time', async (t) => {
  const { portal, signsIn } = await house(t)
  const bob = await signsIn('Bob Brown')
  await bob.page.goto(`${portal.url}/access`)
  assert.match(await bob.section('Check out'), /your own account bob holds keys for a time/)
  await ask(bob, portal, 'caretaker', '30m')
  const shown = await bob.section('Account at workshop')
  assert.match(shown, /Name\s+bob\s+Holds for a time\s+keys[\s\S]*The target takes what was lent at its end/)
  assert.equal(await bob.page.locator('#secret').count(), 0)
  assert.deepEqual(await troubles(bob.page), [])
  await bob.picture('access-elevated')
  await bob.page.reload()
  await bob.page.getByRole('link', { name: 'Back to what is lent' }).click()
  assert.match(await bob.section('Lent to you'), /caretaker at workshop\s+active[\s\S]*your own account holds keys[\s\S]*present/)
  assert.equal(await bob.page.getByRole('button', { name: /^Check in/ }).count(), 1, 'asked twice, lent once')

  const alice = await signsIn('Alice Example')
  await alice.page.getByRole('link', { name: 'Leases' }).click()
  assert.match(await alice.section('Lent now'), /bob[\s\S]*caretaker at workshop\s+an account that was there before holds keys/)
  await alice.page.getByLabel('How long from now').selectOption('1h')
  await alice.page.getByRole('button', { name: 'Extend bob' }).click()
  await alice.page.locator('time[data-countdown]').filter({ hasText: /^(59|1:00):\d\d left$/ }).waitFor()
  await alice.page.getByRole('button', { name: 'Compare now' }).click()
  assert.match(await alice.section('Compared with the targets'), /as written down/)
  await alice.page.goto(`${portal.url}/audit`)
  const by = (action) =>
    alice.page.getByRole('row').filter({ hasText: action }).getByRole('cell').nth(3).innerText()
  assert.deepEqual(await Promise.all(['lease.intended', 'lease.extended'].map(by)), ['bob', 'alice'])

  await bob.page.reload()
  await bob.page.getByRole('button', { name: 'Check in bob' }).click()
  await bob.page.getByText('Nothing is lent to you').waitFor()
  assert.deepEqual(bob.complaints, [])
})

test('whoever has no account at a target is offered none of its roles that need one', async (t) => {
  const { portal, signsIn } = await house(t)
  const fay = await signsIn('Fay Ferrous', { at: 'Foundry' })
  await fay.page.goto(`${portal.url}/access`)
  const offers = await fay.section('Check out')
  assert.ok(offers.includes('operator at workshop') && !offers.includes('caretaker'))
})

test('a page that is loaded anew asks for the same account again', async (t) => {
  const { portal, signsIn } = await house(t)
  const alice = await signsIn('Alice Example')
  const first = await checkOut(alice, portal, 'operator', '30m')
  await alice.page.reload()
  assert.equal(await alice.page.locator('#name').innerText(), first.name)
  assert.notEqual(await alice.page.locator('#secret').innerText(), first.secret)
  await alice.page.goto(`${portal.url}/access`)
  assert.equal(await alice.page.getByRole('button', { name: /^Check in/ }).count(), 1)
})

test('it works without a script', async (t) => {
  const { portal, signsIn } = await house(t)
  const alice = await signsIn('Alice Example', { javaScriptEnabled: false })
  const { name } = await checkOut(alice, portal, 'administrator', '15m')
  await alice.page.goto(`${portal.url}/access`)
  assert.match(await alice.section('Lent to you'), /1[45] minutes left/)
  await alice.page.getByRole('button', { name: `Check in ${name}` }).click()
  await alice.page.getByText('Nothing is lent to you').waitFor()
})

test('nobody checks out, ends or extends what is not theirs', async (t) => {
  const { portal, signsIn } = await house(t)
  const alice = await signsIn('Alice Example')
  await checkOut(alice, portal, 'operator', '30m')
  await alice.page.goto(`${portal.url}/access`)
  const lease = await alice.page.locator('input[name=lease]').first().inputValue()

  const bob = await signsIn('Bob Brown')
  await bob.page.goto(`${portal.url}/access`)
  assert.doesNotMatch(await bob.section('Check out'), /operator/)
  const csrf = await bob.page.locator('input[name=csrf]').first().inputValue()
  const sent = async (path, form) =>
    (await bob.context.request.post(`${portal.url}/access/${path}`, { form: { csrf, ...form } })).status()
  const role = { target: 'workshop', role: 'operator', span: '30m', key: 'k' }
  assert.equal(await sent('out', role), 403)
  assert.equal(await sent('in', { lease }), 404)
  assert.equal(await sent('extend', { lease, span: '1h' }), 404)
  assert.equal(await sent('out', { ...role, csrf: 'guessed' }), 403)
  assert.equal((await bob.page.goto(`${portal.url}/leases`)).status(), 403)
  for (const path of ['end', 'extend']) {
    const form = { csrf, lease, span: '1h' }
    assert.equal((await bob.context.request.post(`${portal.url}/leases/${path}`, { form })).status(), 403)
  }
  await alice.page.reload()
  assert.match(await alice.section('Lent to you'), /active/)
})

test('an administrator sees every lease, compares and ends', async (t) => {
  const { portal, signsIn } = await house(t)
  const fay = await signsIn('Fay Ferrous', { at: 'Foundry' })
  const { name } = await checkOut(fay, portal, 'operator', '1h')

  const alice = await signsIn('Alice Example')
  await alice.page.getByRole('link', { name: 'Leases' }).click()
  assert.match(await alice.section('Lent now'), new RegExp(`${name}\\s+Fay Ferrous\\s+operator at workshop\\s+ticket 4711\\s+active`))
  await alice.page.getByRole('button', { name: 'Compare now' }).click()
  assert.match(await alice.section('Compared with the targets'), /as written down[\s\S]*that were seen: 1/)
  assert.deepEqual(await troubles(alice.page), [])
  await alice.picture('access-leases')
  // Whose lease it is decides who extends it and checks it in as their own: administrators do so on a page of theirs.
  const [csrf, lease] = await Promise.all(
    ['csrf', 'lease'].map((name) => alice.page.locator(`input[name=${name}]`).first().inputValue()))
  for (const path of ['extend', 'in']) {
    const form = { csrf, lease, span: '2h' }
    assert.equal((await alice.context.request.post(`${portal.url}/access/${path}`, { form })).status(), 404)
  }
  await alice.page.getByRole('button', { name: `End ${name}`, exact: true }).click()
  await alice.page.getByText('Nothing is lent.').waitFor()
  await fay.page.goto(`${portal.url}/access`)
  assert.match(await fay.section('Lent to you'), /Nothing is lent to you/)
})

test('whoever is suspended loses what was lent, in the background', async (t) => {
  const { portal, signsIn } = await house(t)
  const fay = await signsIn('Fay Ferrous', { at: 'Foundry' })
  await checkOut(fay, portal, 'operator', '1h')

  const alice = await signsIn('Alice Example')
  await alice.page.goto(`${portal.url}/admin`)
  await alice.page.getByRole('button', { name: 'Suspend Fay Ferrous' }).click()
  await alice.page.getByRole('button', { name: 'Reactivate Fay Ferrous' }).waitFor()
  // The portal looks for what is due each two seconds.
  for (let turn = 0; turn < 60; turn += 1) {
    await alice.page.goto(`${portal.url}/leases`)
    if (/Nothing is lent\./.test(await alice.section('Lent now'))) break
    await alice.page.waitForTimeout(500)
  }
  assert.match(await alice.section('Lent now'), /Nothing is lent\./)
  await alice.page.goto(`${portal.url}/audit`)
  assert.match(await alice.page.getByRole('region', { name: 'Audit trail' }).innerText(), /lease\.removed/)
})
