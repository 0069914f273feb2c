// A person in front of a real browser signs in through a portal with a configuration of its own: at a provider that
// shares no code with us, with accounts in SQLite and in PostgreSQL.
import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { POSTGRES, SLAPD, startPeer } from '../peers/lib/peer.mjs'
import { signIn, startWorld } from './lib/example.mjs'
import { checkout, refusedConfiguration } from './lib/portal.mjs'
import { Wire } from './lib/wire.mjs'

let world

before(async () => (world = await startWorld()))
after(() => world?.stop())

const POLICY = `
[[connection.policy.rule]]
name = "partners-after-consent"
when = { email_domain = "partner.example", email_trust = "asserted" }
[connection.policy.rule.hold]
asks = ["consent:partner-terms", "user_name"]
permit = { account_end = { claim = "contract_end" }, session_limit = "1h" }

[[connection.policy.rule]]
name = "sales-after-approval"
when = { email_domain = "example.com", groups = { any = "sales" } }
hold = { asks = ["approval"] }

[[connection.policy.rule]]
name = "anyone-from-example"
when = { email_domain = "example.com" }
permit = { session_limit = "8h" }
`

const MAPPING = `
[connection.mapping.email]
claim = "email"
verified = { claim = "email_verified" }

[connection.mapping.user_name]
template = ["{preferred_username}"]

[[connection.mapping.attribute]]
attribute = "display_name"
claim = "name"

[[connection.mapping.entitlement]]
name = "groups"
claim = "groups"
table.eng = ["role:engineer"]
table.sales = ["role:seller"]
table.partners = ["role:partner"]

[[connection.mapping.entitlement]]
name = "roles"
claim = "roles"
table.admin = ["role:admin"]
`

const CONNECTION = `
ceiling = ["role:admin", "role:engineer", "role:seller", "role:partner"]
link = [{ by = { email = "when_authoritative" } }]
`

const settings = ({ more = '', ...rest } = {}) => ({
  portal: 'admin = "role:admin"', connection: CONNECTION, scopes: ['groups', 'roles'], more: MAPPING + POLICY + more, ...rest,
})
const house = (t, options) => world.house(t, settings(options))

test('first and second sign-in, and what the provider says of groups', async (t) => {
  const { portal, comes } = await house(t)
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  assert.match(await alice.heading(), /Alice Example\s+active/)
  assert.match(await alice.section('Grants'), /role:engineer[\s\S]*rule groups/)
  assert.match(await alice.section('Why'), /anyone-from-example decided/)
  await alice.picture('configured-first-sign-in')
  await alice.signOut()
  await signIn(alice, portal, 'alice')
  assert.match(await alice.section('What this sign-in changed'), /Nothing to change/)
  await alice.page.getByRole('link', { name: 'Audit trail' }).click()
  assert.match(await alice.page.getByRole('region', { name: 'Audit trail' }).innerText(), /account\.created/)
  await alice.picture('configured-audit-trail')
})

// What `portal` and `checkout` say of a directory.
function target({ host, ldaps, base, service }) {
  return `
[deployment]
name = "shared"
marker_key = "marker.key"

[[target]]
id = "linux"

[target.directory]
servers = ["ldaps://${host}:${ldaps}"]
ca_file = "ca.pem"
account = "${service}"
password_file = "ldap.password"

[target.open_ldap]
base = "ou=jit,${base}"
places = { jit = "ou=jit,${base}" }
groups = { ops = "cn=ops,ou=groups,${base}" }
password_policy = true
groups_follow = true

[[target.role]]
name = "operator"
entitlements = ["ops"]
longest = "8h"
holders = ["role:engineer"]
`
}

test('what is lent in a directory is one and the same for the portal and for checkout', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'slapd-'))
  const slapd = await startPeer(SLAPD, [folder])
  t.after(() => slapd.stop().then(() => rm(folder, { recursive: true, force: true })))
  const said = JSON.parse(slapd.readyLine)
  const more = target(said)
  const own = `[checkout]\nstore = "sqlite:accounts.db"\ntenant = "example"\n${more}`
  const files = {
    'marker.key': 'a key for tests that is longer than 32 bytes',
    'ldap.password': said.service_password,
    'ca.pem': await readFile(said.ca, 'utf8'),
    'checkout.toml': own,
  }
  const { portal, comes } = await house(t, { more, files })
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  await alice.page.getByRole('link', { name: 'Access' }).click()
  await alice.page.getByRole('button', { name: 'Check out operator at linux' }).click()
  const name = await alice.page.locator('#name').innerText()
  await alice.picture('configured-checked-out')

  const [lease] = await checkout(portal, 'list', '--for', 'alice')
  assert.deepEqual([lease.name, lease.phase, lease.user], [name, 'active', 'alice'])
  const [ended] = await checkout(portal, 'in', lease.lease)
  assert.equal(ended.phase, 'gone')
  await alice.page.goto(`${portal.url}/access`)
  assert.match(await alice.section('Lent to you'), /Nothing is lent to you/)

  const [out] = await checkout(portal, 'out', '--for', 'alice', '--target', 'linux', '--role', 'operator', '--ttl', '30m')
  await alice.page.goto(`${portal.url}/access`)
  await alice.page.getByRole('button', { name: `Check in ${out.name}` }).click()
  await alice.page.getByText('Nothing is lent to you').waitFor()
  assert.deepEqual(await checkout(portal, 'list'), [])
})

test('held for approval, approved, in', async (t) => {
  const { portal, comes } = await house(t)
  const bob = await comes()
  await signIn(bob, portal, 'bob')
  assert.equal(await bob.heading(), 'Waiting for approval')
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  await alice.page.getByRole('link', { name: 'Administration' }).click()
  await alice.page.getByRole('button', { name: 'Approve Bob Büro' }).click()
  await alice.page.getByText('Nobody is waiting.').waitFor()
  await signIn(bob, portal, 'bob')
  assert.match(await bob.heading(), /Bob Büro\s+active/)
  assert.match(await bob.section('Grants'), /role:seller/)
})

test('an address that the provider did not verify collides and gets nothing', async (t) => {
  const { portal, comes } = await house(t)
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  const mallory = await comes()
  await signIn(mallory, portal, 'mallory')
  assert.equal(await mallory.heading(), 'No account came of this')
  await mallory.picture('configured-collision')
})

test('a domain that no rule names is denied', async (t) => {
  const { portal, comes } = await house(t)
  await world.op.control('users', {
    stranger: { name: 'Sam Stranger', email: 'sam@elsewhere.example', email_verified: true },
  })
  const sam = await comes()
  await signIn(sam, portal, 'stranger')
  assert.match(await sam.page.getByRole('alert').innerText(), /Code policy\.no_rule/)
})

test('consent and a chosen name, and an account that ends with the contract', async (t) => {
  const { portal, comes } = await house(t)
  const casey = await comes()
  await signIn(casey, portal, 'contractor')
  await casey.page.getByRole('button', { name: 'I agree' }).click()
  await casey.page.getByLabel('User name').fill('casey@example.com')
  await casey.page.getByRole('button', { name: 'Take this name' }).click()
  await casey.page.getByRole('alert').getByText('must not look like an address').waitFor()
  await casey.page.getByLabel('User name').fill('casey.partner')
  await casey.page.getByRole('button', { name: 'Take this name' }).click()
  await casey.page.getByRole('heading', { name: /Casey Contractor/ }).waitFor()
  // The day that the claim names still counts.
  assert.match(await casey.page.locator('main').innerText(), /Ends\s+2027-02-01 00:00 UTC/)
  assert.match(await casey.section('Grants'), /role:partner/)
})

test('a role that the provider takes back goes, and one that it says nothing of stays', async (t) => {
  const { portal, comes } = await house(t)
  const claims = { name: 'Rita Rotation', preferred_username: 'rita', email: 'rita@example.com', email_verified: true }
  const says = (more) => world.op.control('users', { rita: { ...claims, ...more } })
  const rita = await comes()
  await says({ groups: ['eng'], roles: ['admin'] })
  await signIn(rita, portal, 'rita')
  assert.match(await rita.section('Grants'), /role:admin/)
  await rita.signOut()
  await says({ groups: [] })
  await signIn(rita, portal, 'rita')
  assert.match(await rita.section('What this sign-in changed'), /withdraw role:engineer/)
  const grants = await rita.section('Grants')
  assert.match(grants, /role:admin/, 'nothing was said of roles')
  assert.doesNotMatch(grants, /role:engineer/)
})

test('new keys of the provider are found, and a forged token gets nowhere', async (t) => {
  const { portal, comes } = await house(t)
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  await alice.signOut()
  await world.op.control('rotate', { mode: 'replace', alg: 'RS256' })
  await signIn(alice, portal, 'alice')
  assert.match(await alice.heading(), /Alice Example\s+active/)
  await alice.signOut()
  t.after(() => world.op.control('tamper', { clear: true }))
  await world.op.control('tamper', { bad_sig: true })
  await signIn(alice, portal, 'alice')
  assert.match(await alice.page.getByRole('alert').innerText(), /Code oidc\.signature_invalid/)
})

test('a provider that is down is told apart from a refusal', async (t) => {
  const { portal, comes } = await house(t)
  t.after(() => world.op.control('reset', {}))
  await world.op.control('fault', { path: '/.well-known/openid-configuration', status: 503, times: 10 })
  const alice = await comes()
  const answer = await alice.page.goto(`${portal.url}/login/example`)
  assert.equal(answer.status(), 503)
  assert.equal(answer.headers()['retry-after'], '5')
  assert.match(await alice.page.getByRole('alert').innerText(), /identity provider does not answer/)
})

test('a database that is down loses nothing: accounts, sessions and questions go on when it is back', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'postgres-'))
  const database = await startPeer(POSTGRES, ['--no-fsync', folder])
  const wire = await Wire.to(new URL(database.readyLine).port)
  t.after(async () => {
    await wire.end()
    await database.stop()
    await rm(folder, { recursive: true, force: true })
  })
  const store = database.readyLine.replace(/:\d+\//, `:${wire.port}/`)
  const { portal, comes } = await house(t, { store })
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  const casey = await comes()
  await signIn(casey, portal, 'contractor')
  await casey.page.getByRole('button', { name: 'I agree' }).click()
  await casey.page.getByLabel('User name').fill('casey')

  wire.cut()
  assert.equal((await alice.page.goto(`${portal.url}/me`)).status(), 503)
  await alice.picture('configured-database-down')
  await casey.page.getByRole('button', { name: 'Take this name' }).click()
  await casey.page.getByText('The database cannot be reached.').waitFor()

  wire.mend()
  await alice.page.goto(`${portal.url}/me`)
  assert.match(await alice.heading(), /Alice Example\s+active/)
  await casey.page.goto(`${portal.url}/hold`)
  await casey.page.getByLabel('User name').fill('casey')
  await casey.page.getByRole('button', { name: 'Take this name' }).click()
  await casey.page.getByRole('heading', { name: /Casey Contractor/ }).waitFor()
})

test('a configuration with mistakes names file, line and field of each, and nothing is served', async () => {
  const broken = (await world.configuration(settings()))
    .replace('domains = ["example.com"]', 'domain = ["example.com"]')
  const { code, complaints } = await refusedConfiguration(broken)
  assert.equal(code, 2)
  assert.match(complaints, /portal\.toml:\d+:\d+: connection\[0\]\.domain: .*\(config\.unknown_field\)/)

  const unsound = (await world.configuration(settings()))
    .replace('verified = { claim = "email_verified" }', '')
    .replace('ceiling = ["role:admin",', 'ceiling = ["role:admin", "role:boss",')
    .replace('issuer = "http:', 'issuer = "ftp:')
  const second = await refusedConfiguration(unsound)
  assert.equal(second.code, 2)
  assert.match(second.complaints, /portal\.toml:\d+:\d+: connection\[0\]\.mapping\.email[^\n]*\n/)
  assert.match(second.complaints, /portal\.toml:\d+:\d+: connection\[0\]\.protocol\.oidc\.issuer[^\n]*oidc\.settings_invalid/)
  assert.doesNotMatch(second.complaints, /secret-for-tests/)
})
