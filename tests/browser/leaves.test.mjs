// An administrator in front of a real browser decides whose leave waits, since too many left at once, and reaches every
// account of a directory that is larger than a page.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { picture } from '../peers/lib/chromium.mjs'
import { troubles } from './lib/accessible.mjs'
import { FILES, asks, bulk, change, directory, group, user } from './lib/directory.mjs'
import { signIn, startWorld } from './lib/example.mjs'

const SETTINGS = {
  portal: 'admin = "role:operator"',
  connection: 'policy = { rule = [{ name = "everybody", permit = {} }] }',
  // Every leave that the directory tells of waits for a person.
  more: directory({ provisioning: 'leavers = { most = 0, within = "1h" }' }),
  files: FILES,
}
let world

before(async () => (world = await startWorld()))
after(() => world?.stop())

const named = (name, shown) => user(name, { externalId: name, displayName: shown })

// A portal with Alice, its administrator, in front of the page; `hr` speaks for the directory.
async function house(t) {
  const { portal, comes } = await world.house(t, SETTINGS)
  const [alice, hr] = [await comes(), asks(portal)]
  const joins = async (name, shown) => (await hr('POST', '/Users', named(name, shown))).id
  await hr('POST', '/Groups', group('Operators', [await joins('alice', 'Alice of HR')]))
  await signIn(alice, portal, 'alice')
  await alice.page.getByRole('link', { name: 'Administration' }).click()
  return { portal, alice, hr, joins }
}

const stateOf = (page, name) => page.getByRole('row', { name }).locator('.badge').innerText()

test('an administrator lets people stay or leave, each as the page showed it', async (t) => {
  const { portal, alice, hr, joins } = await house(t)
  const { page } = alice
  assert.equal(await page.getByText('Waiting to leave').count(), 0)
  const people = {}
  for (const [name, shown] of [['bob', 'Bob Brown'], ['cyn', 'Cyn Clay'], ['dan', 'Dan Dune'], ['eve', 'Eve Elm']]) {
    people[name] = `/Users/${await joins(name, shown)}`
    await hr('PATCH', people[name], change('active', false))
  }
  await page.reload()
  assert.equal(await page.getByRole('button', { name: /^Let leave/ }).count(), 4)
  assert.match(await alice.section('Waiting to leave'), /Bob Brown[\s\S]*leave, said over example-hr/)
  assert.equal(await stateOf(page, 'bob'), 'active', 'they stay until somebody decides')
  assert.deepEqual(await troubles(page), [])
  await alice.picture('leaves-waiting')

  await page.getByRole('button', { name: 'Let stay Bob Brown' }).click()
  await page.getByRole('button', { name: 'Let leave Bob Brown' }).waitFor({ state: 'detached' })
  assert.equal(await stateOf(page, 'bob'), 'active')
  await page.getByRole('button', { name: 'Let leave Cyn Clay' }).click()
  await page.getByRole('button', { name: 'Let leave Cyn Clay' }).waitFor({ state: 'detached' })
  assert.equal(await stateOf(page, 'cyn'), 'disabled')
  await hr('PATCH', people.bob, change('title', 'Guide'))
  await page.reload()
  assert.equal(await page.getByRole('button', { name: 'Let leave Bob Brown' }).count(), 0, 'a new title is no leave')

  // Meanwhile the directory removes Dan for good, and takes back that Eve leaves: the page shows neither.
  const buttons = ['Let leave Dan Dune', 'Let stay Dan Dune', 'Let leave Eve Elm', 'Let stay Eve Elm']
  const tabs = await Promise.all(buttons.map(() => alice.context.newPage()))
  await Promise.all(tabs.map((tab) => tab.goto(`${portal.url}/admin`)))
  await hr('DELETE', people.dan)
  await hr('PATCH', people.eve, change('active', true))
  for (const [n, tab] of tabs.entries()) {
    await tab.getByRole('button', { name: buttons[n] }).click()
    await tab.getByText('record.leave_changed').waitFor()
    assert.match(await tab.getByRole('alert').innerText(), /Not done[\s\S]*You asked to let (Dan Dune|Eve Elm) (stay|leave)/)
    assert.equal(await tab.getByRole('button', { name: 'Sign out' }).count(), 1)
    if (n === 0) await picture(tab, 'leaves-changed')
    await tab.getByRole('link', { name: 'Back to the administration' }).click()
    await tab.waitForURL(`${portal.url}/admin`)
    await tab.close()
  }
  await page.goto(`${portal.url}/admin`)
  assert.match(await alice.section('Waiting to leave'), /Dan Dune[\s\S]*removal for good/)
  assert.doesNotMatch(await alice.section('Waiting to leave'), /Eve Elm/)
  assert.deepEqual([await stateOf(page, 'dan'), await stateOf(page, 'eve')], ['active', 'active'])
  await page.getByRole('button', { name: 'Let leave Dan Dune' }).click()
  await page.getByText('Waiting to leave').waitFor({ state: 'detached' })
  assert.equal(await stateOf(page, 'dan'), 'ended')
  await page.goto(`${portal.url}/audit`)
  const trail = await page.getByRole('region', { name: 'Audit trail' }).innerText()
  assert.match(trail, /record\.leave_confirmed/)
  assert.match(trail, /record\.leave_dismissed/)
})

test('nobody decides a leave by a forged form, or without having seen it', async (t) => {
  const { portal, alice, hr, joins } = await house(t)
  const bob = `/Users/${await joins('bob', 'Bob Brown')}`
  await hr('PATCH', bob, change('active', false))
  await alice.page.reload()
  const form = alice.page.locator('form', { has: alice.page.getByRole('button', { name: 'Let leave Bob Brown' }) })
  const value = (name) => form.locator(`input[name=${name}]`).inputValue()
  const [csrf, account, seen] = await Promise.all(['csrf', 'account', 'seen'].map(value))
  const decide = (sent) =>
    alice.context.request.post(`${portal.url}/admin/decide`, { form: { act: 'confirm_leave', account, ...sent } })
  assert.equal((await decide({ seen, csrf: 'guessed' })).status(), 403)
  assert.equal((await decide({ csrf })).status(), 400, 'nothing was seen')
  assert.equal((await decide({ csrf, seen: '[]' })).status(), 409)
  await alice.page.reload()
  assert.equal(await stateOf(alice.page, 'bob'), 'active')
  assert.equal(await alice.page.getByRole('button', { name: 'Let leave Bob Brown' }).count(), 1, 'it waits as before')
})

test('an administrator reaches every account of a large directory', async (t) => {
  const { portal, alice, hr } = await house(t)
  const { page } = alice
  const number = (n) => String(n).padStart(3, '0')
  const data = (n) => named(`p${number(n)}`, `Person ${number(n)}`)
  const one = (n) => ({ method: 'POST', path: '/Users', bulkId: `b${n}`, data: data(n) })
  const operations = Array.from({ length: 501 }, (_, n) => one(n))
  const { Operations } = await hr('POST', '/Bulk', bulk(operations))
  assert.ok(Operations.every(({ status }) => status === '201'))

  const names = () => page.locator('tbody th').allInnerTexts()
  await page.goto(`${portal.url}/admin`)
  const first = await names()
  assert.equal(first.length, 500)
  await page.getByRole('link', { name: 'Next page' }).click()
  await page.getByRole('link', { name: 'First page' }).waitFor()
  const second = await names()
  assert.equal(new Set([...first, ...second]).size, 502, 'everybody is on one of them')
  assert.equal(await page.getByRole('link', { name: 'Next page' }).count(), 0)
  assert.deepEqual(await troubles(page), [])
  await alice.picture('administration-second-page')

  const last = second.at(-1)
  await page.getByRole('row', { name: last }).getByRole('button', { name: /^Suspend/ }).click()
  await page.getByRole('row', { name: last }).getByRole('button', { name: /^Reactivate/ }).waitFor()
  assert.deepEqual(await names(), second, 'whoever decides stays on the page')
  await page.getByRole('link', { name: 'First page' }).click()
  await page.getByRole('link', { name: 'Next page' }).waitFor()
  assert.deepEqual(await names(), first)

  await page.getByLabel('User name or id').fill(' P007 ')
  await page.getByRole('button', { name: 'Find' }).click()
  await page.getByRole('link', { name: 'First page' }).waitFor()
  assert.deepEqual(await names(), ['p007'])
  assert.deepEqual(await troubles(page), [])
  await page.getByRole('button', { name: 'Suspend Person 007' }).click()
  await page.getByRole('button', { name: 'Reactivate Person 007' }).waitFor()
  assert.deepEqual(await names(), ['p007'], 'and on what was found')
  const id = await page.locator('input[name=account]').first().inputValue()
  await page.goto(`${portal.url}/admin?name=${id}`)
  assert.deepEqual(await names(), ['p007'])
  await page.getByLabel('User name or id').fill('nobody')
  await page.getByRole('button', { name: 'Find' }).click()
  await page.getByText('Nobody has this user name or id.').waitFor()
  assert.equal((await page.goto(`${portal.url}/admin?after=7`)).status(), 404)
})
