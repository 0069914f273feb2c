// A person in front of a real browser, whose account a directory drives over SCIM: one account, whichever came first, and
// no session once the directory says that they have left.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { OIDC_OP, startPeer } from '../peers/lib/peer.mjs'
import { launch, person } from './lib/browser.mjs'
import { freePort, startConfigured, startSomewhere } from './lib/portal.mjs'

const TOKEN = 'a-token-for-tests-only-0123456789'
const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
let browser, op

before(async () => ([browser, op] = await Promise.all([launch(), startPeer(OIDC_OP, ['--port', '0'])])))
after(async () => {
  await browser?.close()
  await op?.stop()
})

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

[connection.mapping.email]
claim = "/emails/0/value"
verified = "own_domains"

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

async function house(t) {
  const files = { 'hr.tokens': TOKEN }
  const portal = await startSomewhere(async () => startConfigured(await configuration(), files))
  const one = await person(browser)
  t.after(async () => {
    await one.leave()
    assert.equal(await portal.stop(), 0, 'the portal ends in good order')
  })
  const hr = async (method, path, body) => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/scim+json' }
    const response = await fetch(`${portal.url}/scim/v2${path}`, { method, headers, body: body && JSON.stringify(body) })
    const text = await response.text()
    assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`)
    return text && JSON.parse(text)
  }
  return { portal, one, hr }
}

const alice = {
  schemas: [USER], userName: 'alice.example', externalId: 'alice', displayName: 'Alice of HR', active: true,
  emails: [{ value: 'alice@example.com', type: 'work', primary: true }],
}
const active = (value) => ({ schemas: [PATCH], Operations: [{ op: 'replace', path: 'active', value }] })

async function signIn(who, portal) {
  await who.page.goto(portal.url)
  await who.page.getByRole('link', { name: 'Sign in with Example' }).click()
  await who.page.getByLabel('User name').fill('alice')
  await who.page.getByLabel('Password').fill('alice-password')
  await who.page.getByRole('button', { name: 'Sign in' }).click()
  await who.page.waitForURL(`${portal.url}/**`)
}

test('whom a directory made signs in to that account, and is out when it says so', async (t) => {
  const { portal, one, hr } = await house(t)
  const { id } = await hr('POST', '/Users', alice)
  await hr('POST', '/Groups', { schemas: [GROUP], displayName: 'Operators', members: [{ value: id }] })
  await signIn(one, portal)
  assert.match(await one.heading(), /Alice of HR\s+active/)
  assert.match(await one.section('Grants'), /role:operator/)
  await one.picture('scim-signed-in')

  await hr('PATCH', `/Users/${id}`, active(false))
  await one.page.reload()
  assert.match(await one.heading(), /Sign in/, 'the session is over')
  await signIn(one, portal)
  assert.match(await one.page.innerText('main'), /account\.left|account\.disabled/)
  await one.picture('scim-deactivated')

  await hr('PATCH', `/Users/${id}`, active(true))
  await signIn(one, portal)
  assert.match(await one.heading(), /Alice of HR\s+active/)
  await hr('DELETE', `/Users/${id}`)
  await one.page.reload()
  assert.match(await one.heading(), /Sign in/, 'the session is over')
  await signIn(one, portal)
  assert.match(await one.page.innerText('main'), /account\.ended/)
})

test('who signed in before the directory told of them keeps one account', async (t) => {
  const { portal, one, hr } = await house(t)
  await signIn(one, portal)
  assert.match(await one.heading(), /active/)
  const before = await one.page.innerText('main')
  await hr('POST', '/Users', alice)
  await one.page.reload()
  assert.match(await one.heading(), /Alice of HR\s+active/, 'the session goes on, with what the directory says')
  const number = /[0-9a-f]{8}-[0-9a-f-]{27}/
  assert.equal((await one.page.innerText('main')).match(number)?.[0], before.match(number)?.[0])
})
