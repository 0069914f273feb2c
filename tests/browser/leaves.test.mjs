// An administrator in front of a real browser decides whose leave waits, since too many left at once, and reaches every
// account of a directory that is larger than a page.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { OIDC_OP, startPeer } from '../peers/lib/peer.mjs'
import { troubles } from './lib/accessible.mjs'
import { launch, person } from './lib/browser.mjs'
import { freePort, startConfigured, startSomewhere } from './lib/portal.mjs'

const TOKEN = 'a-token-for-tests-only-0123456789'
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const BULK = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
let browser, op

before(async () => ([browser, op] = await Promise.all([launch(), startPeer(OIDC_OP, ['--port', '0'])])))
after(async () => {
  await browser?.close()
  await op?.stop()
})

// Every leave that the directory tells of waits for a person.
async function configuration() {
  const port = await freePort()
  const base = `http://127.0.0.1:${port}`
  const callback = `${base}/callback/example`
  const id = `portal-${port}`
  const secret = `${id}-secret-for-tests-only-0123456789`
  await op.control('clients', {
    client_id: id, client_secret: secret, redirect_uris: [callback],
    grant_types: ['authorization_code'], response_types: ['code'],
  })
  return `
[portal]
listen = "127.0.0.1:${port}"
base_url = "${base}"
store = "sqlite:accounts.db"
admin = "role:operator"

[[connection]]
id = "example"
tenant = "example"
issuers = ["${op.issuer}"]
domains = ["example.com"]
policy = { rule = [{ name = "everybody", permit = {} }] }

[connection.protocol]
label = "Example"

[connection.protocol.oidc]
issuer = "${op.issuer}"
client_id = "${id}"
client = { method = "client_secret_basic", secret = "${secret}" }
redirect_uri = "${callback}"
scopes = ["openid", "profile", "email"]
prompt = "login"
dangerous = { allow_loopback_http = true }

[[connection]]
id = "example-hr"
tenant = "example"
issuers = ["urn:example:hr"]
domains = ["example.com"]
ceiling = ["role:operator"]
policy = { rule = [{ name = "everybody-of-hr", permit = {} }] }

[connection.provisioning]
same_person = [{ connection = "example", by = "subject" }]
reactivates = true
leavers = { most = 0, within = "1h" }

[connection.mapping.user_name]
template = ["{userName}"]

[[connection.mapping.attribute]]
attribute = "display_name"
claim = "displayName"

[[connection.mapping.entitlement]]
claim = "groups.display"
table.Operators = ["role:operator"]

[connection.protocol]
label = "Example HR"

[connection.protocol.scim]
token_file = "hr.tokens"
`
}

const named = (name, shown) => ({ schemas: [USER], userName: name, externalId: name, displayName: shown, active: true })
const change = (path, value) => ({ schemas: [PATCH], Operations: [{ op: 'replace', path, value }] })

// A portal with Alice, its administrator, in front of the page; `hr` speaks for the directory.
async function house(t) {
  const portal = await startSomewhere(async () => startConfigured(await configuration(), { 'hr.tokens': TOKEN }))
  const alice = await person(browser)
  t.after(async () => {
    await alice.leave()
    assert.equal(await portal.stop(), 0, 'the portal ends in good order')
  })
  const hr = async (method, path, body) => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' }
    const response = await fetch(`${portal.url}/scim/v2${path}`, { method, headers, body: body && JSON.stringify(body) })
    const text = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
    return text && JSON.parse(text)
  }
  const joins = async (name, shown) => (await hr('POST', '/Users', named(name, shown))).id
  const members = [{ value: await joins('alice', 'Alice of HR') }]
  await hr('POST', '/Groups', { schemas: [GROUP], displayName: 'Operators', members })
  await alice.page.goto(portal.url)
  await alice.page.getByRole('link', { name: 'Sign in with Example' }).click()
  await alice.page.getByLabel('User name').fill('alice')
  await alice.page.getByLabel('Password').fill('alice-password')
  await alice.page.getByRole('button', { name: 'Sign in' }).click()
  await alice.page.waitForURL(`${portal.url}/**`)
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
  assert.equal((await decide({ csrf })).status(), 404, 'nothing was seen')
  assert.equal((await decide({ csrf, seen: '[]' })).status(), 403)
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
  const { Operations } = await hr('POST', '/Bulk', { schemas: [BULK], Operations: operations })
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
