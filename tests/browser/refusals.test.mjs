// A person in front of a real browser asks for what is not done, and is told so where they are.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { troubles } from './lib/accessible.mjs'
import { demos } from './lib/demo.mjs'

const { house } = demos()

// The form of a role on the page of access. `span` is sent though the page may not offer it, as one that is old might.
async function send(page, role, span) {
  const form = page.locator('form.offer').filter({ hasText: `${role} at workshop` }).first()
  await offer(form.getByLabel('For'), span)
  await form.getByRole('button', { name: `Check out ${role} at workshop` }).click()
}

async function offer(field, span) {
  await field.evaluate((select, span) => select.add(new Option(span, span, true, true)), span)
}

// Looks at the page that is open: it tells what was not done, and whoever sees it is signed in as before.
async function told(one, { title, code, words, picture, back = 'Back to what is lent to you' }) {
  const { page } = one
  const alert = page.getByRole('alert')
  await alert.waitFor()
  assert.equal(await one.heading(), title)
  assert.match(await page.title(), new RegExp(`^${title} · Portal$`))
  const text = await page.getByRole('main').innerText()
  for (const expected of [code, ...words]) assert.ok(text.includes(expected), `${expected}: ${text}`)
  assert.doesNotMatch(text, /sign-in|no account came/i)
  const links = await page.getByRole('navigation', { name: 'Main' }).getByRole('link').allInnerTexts()
  assert.deepEqual(links, ['My account', 'Access', 'Audit trail', 'Administration', 'Leases'])
  assert.equal(await page.getByRole('button', { name: 'Sign out' }).count(), 1)
  assert.match(await page.getByRole('banner').innerText(), /Alice Example/)
  assert.equal(await page.getByRole('link', { name: back }).count(), 1)
  assert.deepEqual(await troubles(page), [])
  await one.picture(picture)
}

// What the page of leases says of every lease, but for what moves with the time.
async function lent(one, portal) {
  const tab = await one.context.newPage()
  await tab.goto(`${portal.url}/access`)
  const ends = await tab.locator('time[data-countdown]').evaluateAll((times) => times.map((time) => time.dateTime))
  const names = await tab.getByRole('region', { name: 'Lent to you' }).locator('li code').allInnerTexts()
  await tab.close()
  return { names, ends }
}

test('too long a time is refused in words, where one is signed in, and nothing is lent', async (t) => {
  const { portal, signsIn } = await house(t)
  const alice = await signsIn('Alice Example')
  await alice.page.goto(`${portal.url}/access`)
  await send(alice.page, 'operator', '9h')
  await told(alice, {
    title: 'Not checked out', code: 'lease.too_long', picture: 'refused-too-long',
    words: ['operator at workshop, for 9 hours', '8 hours at most'],
  })
  assert.deepEqual(await lent(alice, portal), { names: [], ends: [] })

  await alice.page.goto(`${portal.url}/access`)
  await send(alice.page, 'operator', 'soon')
  await told(alice, {
    title: 'Not checked out', code: 'portal.span', picture: 'refused-span', words: ['cannot be read', '1h30m'],
  })
  // By keyboard: the way back is the first thing in the page itself.
  const keys = alice.page.keyboard
  await keys.press('Tab')
  await alice.page.getByRole('link', { name: 'Skip to content' }).press('Enter')
  await keys.press('Tab')
  await keys.press('Enter')
  await alice.page.waitForURL(`${portal.url}/access`)
  assert.deepEqual(await lent(alice, portal), { names: [], ends: [] })
})

test('a second extension that reaches no further is refused in words, and the end stays', async (t) => {
  const { portal, signsIn } = await house(t)
  const alice = await signsIn('Alice Example')
  await alice.page.goto(`${portal.url}/access`)
  await send(alice.page, 'operator', '30m')
  await alice.page.getByRole('heading', { name: 'Checked out' }).waitFor()
  // Tabs that show the lease as it is now: once it ends at the latest, no page offers to extend it.
  const open = async (place) => {
    const tab = await alice.context.newPage()
    await tab.goto(`${portal.url}/${place}`)
    return tab
  }
  const [first, second, third, leases] = [
    await open('access'), await open('access'), await open('access'), await open('leases'),
  ]
  const extend = async (page, span) => {
    await offer(page.getByLabel('How long from now'), span)
    await page.getByRole('button', { name: /^Extend jit-/ }).click()
  }
  await extend(first, '8h')
  await first.getByText(/7:59:\d\d left|8:00:\d\d left/).waitFor()
  const before = await lent(alice, portal)

  alice.page = second
  await extend(alice.page, '1h')
  await told(alice, {
    title: 'Not extended', code: 'lease.not_longer', picture: 'refused-not-longer',
    words: [before.names[0], '1 hour from now', 'already ends at', 'UTC'],
  })
  alice.page = third
  await extend(alice.page, '8h')
  await told(alice, {
    title: 'Not extended', code: 'lease.too_long', picture: 'refused-latest', words: [before.names[0], 'at the latest'],
  })
  assert.deepEqual(await lent(alice, portal), before)

  alice.page = leases
  await extend(alice.page, '1h')
  await told(alice, {
    title: 'Not extended', code: 'lease.not_longer', picture: 'refused-leases', words: [before.names[0]],
    back: 'Back to the leases',
  })
  await alice.page.getByRole('link', { name: 'Back to the leases' }).click()
  await alice.page.waitForURL(`${portal.url}/leases`)
  assert.deepEqual(await lent(alice, portal), before)
})

test('a form that was used before is refused in words, and lends nothing more', async (t) => {
  const { portal, signsIn } = await house(t)
  const alice = await signsIn('Alice Example')
  await alice.page.goto(`${portal.url}/access`)
  const field = (name) => alice.page.locator(`form.offer input[name=${name}]`).first()
  const key = await field('key').inputValue()
  await send(alice.page, 'operator', '30m')
  await alice.page.getByRole('heading', { name: 'Checked out' }).waitFor()
  const secret = await alice.page.locator('#secret').innerText()
  const before = await lent(alice, portal)

  // The same form for another role, as from a page that was kept.
  await alice.page.goto(`${portal.url}/access`)
  await field('key').evaluate((field, key) => (field.value = key), key)
  await field('role').evaluate((field) => (field.value = 'administrator'))
  await send(alice.page, 'operator', '30m')
  await told(alice, {
    title: 'Not checked out', code: 'lease.other_request', picture: 'refused-other-request', words: ['used'],
  })
  assert.deepEqual(await lent(alice, portal), before)

  // The same form once more, when what it lent was checked in.
  await alice.page.goto(`${portal.url}/access`)
  await send(alice.page, 'operator', '15m')
  await alice.page.getByRole('heading', { name: 'Checked out' }).waitFor()
  const tab = await alice.context.newPage()
  await tab.goto(`${portal.url}/access`)
  const buttons = tab.getByRole('button', { name: /^Check in/ })
  for (let left = await buttons.count(); left > 0; left -= 1) {
    await buttons.first().click()
    await buttons.nth(left - 1).waitFor({ state: 'detached' })
  }
  await tab.close()
  await alice.page.reload()
  await told(alice, {
    title: 'Not checked out', code: 'lease.over', picture: 'refused-over', words: ['has ended', 'anew'],
  })
  const page = await alice.page.content()
  assert.ok(!page.includes(secret) && !page.includes(key), 'neither a secret nor a key')
  assert.deepEqual(await lent(alice, portal), { names: [], ends: [] })
})
