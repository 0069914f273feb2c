// A person in front of a real browser signs in with a name and a password that a real directory knows.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SLAPD, startPeer } from '../peers/lib/peer.mjs'
import { troubles } from './lib/accessible.mjs'
import { launch } from './lib/browser.mjs'
import { freePort, startConfigured, startSomewhere } from './lib/portal.mjs'
import { visitors } from './lib/visitors.mjs'

let browser

before(async () => (browser = await launch()))
after(() => browser?.close())

// Two ways to one directory: its people are staff by the one, and guests by the other.
function way({ host, ldaps, base, service }, { id, label, rest }) {
  return `
[[connection]]
id = "${id}"
tenant = "acme"
issuers = ["${id}.jit.test"]
ceiling = ["role:*"]
${rest}

[connection.protocol]
label = "${label}"

[connection.protocol.directory]
servers = ["ldaps://${host}:${ldaps}"]
ca_file = "ca.pem"
account = "${service}"
password_file = "ldap.password"

[connection.protocol.ldap]
issuer = "${id}.jit.test"
base = "ou=people,${base}"
names = ["uid", "mail"]
filter = "(objectClass=inetOrgPerson)"
id = "entry_uuid"
claims = ["uid", "cn", "mail"]
`
}

const STAFF = `
[connection.mapping.email]
claim = "mail"
verified = "own_domains"

[connection.mapping.user_name]
template = ["{uid}"]

[[connection.mapping.attribute]]
attribute = "display_name"
claim = "cn"

[[connection.policy.rule]]
name = "staff"
permit = { session_limit = "8h" }
`

const GUESTS = `
[connection.mapping.email]
claim = "mail"
verified = "never"

[[connection.policy.rule]]
name = "guests-who-have-an-account-prove-it"
when = { account = "candidate" }
[connection.policy.rule.hold]
asks = ["link_proof"]
permit = { session_limit = "1h" }

[[connection.policy.rule]]
name = "guests-agree-and-choose"
when = { account = "none" }
[connection.policy.rule.hold]
asks = ["consent:house-rules", "user_name"]
permit = { session_limit = "1h" }

[[connection.policy.rule]]
name = "guests"
permit = { session_limit = "1h" }
`

async function house(t) {
  const folder = await mkdtemp(join(tmpdir(), 'slapd-'))
  const slapd = await startPeer(SLAPD, [folder])
  t.after(() => slapd.stop().then(() => rm(folder, { recursive: true, force: true })))
  const said = JSON.parse(slapd.readyLine)
  const files = { 'ldap.password': said.service_password, 'ca.pem': await readFile(said.ca, 'utf8') }
  const portal = await startSomewhere(async () => {
    const port = await freePort()
    const head = `
[portal]
listen = "127.0.0.1:${port}"
base_url = "http://127.0.0.1:${port}"
store = "sqlite:accounts.db"
`
    const staff = way(said, { id: 'staff', label: 'Staff', rest: 'domains = ["jit.test"]' })
    const guests = way(said, { id: 'guests', label: 'Guests', rest: 'link = [{ by = { email = "after_proof" } }]' })
    return startConfigured(`${head}${staff}${STAFF}${guests}${GUESTS}`, files)
  })
  return { portal, slapd, comes: visitors(t, portal, browser) }
}

async function type(one, name, password) {
  await one.page.getByLabel('User name').fill(name)
  await one.page.getByLabel('Password').fill(password)
  await one.page.getByRole('button', { name: 'Sign in' }).click()
}

async function signIn(one, portal, way, name) {
  await one.page.goto(portal.url)
  await one.page.getByRole('link', { name: `Sign in with ${way}` }).click()
  await type(one, name, `${name}-password-1`)
}

test('a name and a password open an account, and no page or address shows the password', async (t) => {
  const { portal, comes } = await house(t)
  const alice = await comes()
  const asked = []
  alice.page.on('request', (request) => asked.push(request.url()))
  await alice.page.goto(portal.url)
  await alice.page.getByRole('link', { name: 'Sign in with Staff' }).click()
  assert.equal(await alice.heading(), 'Sign in with Staff')
  assert.equal(await alice.page.evaluate(() => document.activeElement.id), 'user_name')
  const fields = await alice.page.$$eval('input:not([type=hidden])', (all) => all.map((one) => one.autocomplete))
  assert.deepEqual(fields, ['username', 'current-password'], 'password managers know what to fill in')
  await alice.picture('ldap-sign-in')

  await type(alice, 'alice', 'alice-password-2')
  const trouble = alice.page.getByRole('alert')
  assert.match(await trouble.innerText(), /user name or the password is not right[\s\S]*ldap\.sign_in_refused/)
  assert.equal(await alice.page.getByLabel('User name').inputValue(), 'alice')
  assert.equal(await alice.page.getByLabel('Password').inputValue(), '')
  assert.equal(await alice.page.evaluate(() => document.activeElement.id), 'password')
  assert.ok(!(await alice.page.content()).includes('alice-password'))
  assert.deepEqual(await troubles(alice.page), [])
  await alice.picture('ldap-refused')

  await type(alice, 'alice', 'alice-password-1')
  await alice.page.waitForURL(`${portal.url}/me`)
  assert.match(await alice.heading(), /Alice Example\s+active/)
  assert.match(await alice.section('Why'), /staff decided/)
  assert.match(await alice.section('Identity'), /staff\.jit\.test/)
  assert.ok(asked.every((url) => !url.includes('password-')), 'no address holds a password')
  await alice.page.getByRole('link', { name: 'Audit trail' }).click()
  const trail = await alice.page.getByRole('region', { name: 'Audit trail' }).innerText()
  assert.match(trail, /account\.created/)
  assert.doesNotMatch(trail, /alice@|password/)

  await alice.signOut()
  await signIn(alice, portal, 'Staff', 'alice')
  assert.match(await alice.section('What this sign-in changed'), /Nothing to change/)
})

test('whoever comes by a password is asked what anybody is asked, and proves a link with one', async (t) => {
  const { portal, comes } = await house(t)
  const bob = await comes()
  await signIn(bob, portal, 'Guests', 'bob')
  assert.match(await bob.heading(), /One question, Bob Example/)
  await bob.page.getByRole('button', { name: 'I agree' }).click()
  await bob.page.getByLabel('User name').fill('bob.the.guest')
  await bob.page.getByRole('button', { name: 'Take this name' }).click()
  await bob.page.waitForURL(`${portal.url}/me`)
  assert.match(await bob.page.locator('main').innerText(), /bob\.the\.guest in tenant acme/)

  const alice = await comes()
  await signIn(alice, portal, 'Staff', 'alice')
  await alice.page.waitForURL(`${portal.url}/me`)
  await alice.signOut()
  await signIn(alice, portal, 'Guests', 'alice')
  assert.match(await alice.heading(), /Is this account yours/)
  await alice.page.getByRole('link', { name: 'Sign in with Staff' }).click()
  assert.match(await alice.page.locator('main').innerText(), /to prove that the account is yours/)
  await type(alice, 'alice', 'not-her-password')
  await alice.page.getByRole('alert').waitFor()
  await alice.picture('ldap-link-proof-refused')
  await type(alice, 'alice', 'alice-password-1')
  await alice.page.waitForURL(`${portal.url}/me`)
  assert.match(await alice.section('Identity'), /staff\.jit\.test[\s\S]*guests\.jit\.test/)
})

test('the form reads well in light and dark, wide and narrow, whatever it says', async (t) => {
  const { portal, slapd, comes } = await house(t)
  const people = await Promise.all([
    comes({ colorScheme: 'light' }),
    comes({ colorScheme: 'dark' }),
    comes({ colorScheme: 'light', viewport: { width: 360, height: 800 } }),
  ])
  const look = async (one, place) => assert.deepEqual(await troubles(one.page), [], place)
  for (const one of people) {
    await one.page.goto(`${portal.url}/login/staff`)
    await look(one, 'form')
    await type(one, 'carol', 'not-her-password')
    await look(one, 'refused')
  }
  const [carol] = people
  await type(carol, 'carol', 'carol-password-1')
  assert.match(await carol.page.getByRole('alert').innerText(), /Too many sign-ins[\s\S]*31 minutes/)
  await look(carol, 'throttled')
  await carol.picture('ldap-throttled')
  await slapd.stop()
  await signIn(carol, portal, 'Staff', 'alice')
  assert.match(await carol.page.getByRole('alert').innerText(), /directory does not answer[\s\S]*ldap\./)
  await look(carol, 'down')
  await carol.picture('ldap-down')
})
