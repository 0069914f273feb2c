// A person in front of a real browser signs in by SAML at SimpleSAMLphp, which shares no code with us, and out again.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { after, before, test } from 'node:test'
import { SAML_SSP, startPeer } from '../peers/lib/peer.mjs'
import { launch, person } from './lib/browser.mjs'
import { freePort, startConfigured, startSomewhere } from './lib/portal.mjs'

const MAKE_KEYS = fileURLToPath(new URL('../peers/saml-keys/make', import.meta.url))
let browser, idp, keys

before(async () => {
  keys = await mkdtemp(join(tmpdir(), 'keys-'))
  execFileSync(MAKE_KEYS, [keys])
  ;[browser, idp] = await Promise.all([launch(), startPeer(SAML_SSP, ['--port', '0'])])
})
after(async () => {
  await browser?.close()
  await idp?.stop()
  await rm(keys, { recursive: true, force: true })
})

async function configuration(base) {
  const { entity_id: issuer, metadata } = JSON.parse(idp.readyLine)
  const [key, certificate] = await Promise.all(
    ['rsa.key.pem', 'rsa.crt.pem'].map((name) => readFile(join(keys, name), 'utf8')),
  )
  return `
[portal]
listen = "${base.slice('http://'.length)}"
base_url = "${base}"
store = "sqlite:accounts.db"

[[connection]]
id = "example"
tenant = "example"
issuers = ["${issuer}"]
domains = ["example.com"]
ceiling = ["role:engineer", "role:admin"]
link = [{ by = { email = "when_authoritative" } }]

[connection.protocol]
label = "Example"
metadata = { url = "${metadata}", dangerously_unsigned = true }

[connection.protocol.saml]
entity_id = "${base}/saml/example/metadata"
acs_url = "${base}/saml/example/acs"
signing = { key = """${key}""", certificate = """${certificate}""" }
dangerous = { allow_loopback_http = true }

[connection.mapping]
preset = "shibboleth"

[[connection.mapping.entitlement]]
claim = "urn:oid:1.3.6.1.4.1.5923.1.5.1.1"
table.eng = ["role:engineer"]

[[connection.policy.rule]]
name = "anyone-from-example"
when = { email_domain = "example.com" }
permit = { session_limit = "8h" }
`
}

// A portal that SimpleSAMLphp knows by the metadata that it publishes.
async function house(t, options = {}) {
  const portal = await startSomewhere(async () =>
    startConfigured(await configuration(`http://127.0.0.1:${await freePort()}`)))
  const base = portal.url
  const metadata = await (await fetch(`${base}/saml/example/metadata`)).text()
  await idp.control('sp', { metadata, options: { 'sign.logout': true, 'validate.logout': true, ...options } })
  const people = []
  t.after(async () => {
    await Promise.all(people.map((one) => one.leave()))
    assert.equal(await portal.stop(), 0)
  })
  const comes = async () => {
    const one = await person(browser, { javaScriptEnabled: true })
    people.push(one)
    return one
  }
  return { portal, comes }
}

// Types name and password where SimpleSAMLphp asks for them; it remembers who signed in before.
async function signIn(one, portal, name) {
  await one.page.goto(portal.url)
  await one.page.getByRole('link', { name: 'Sign in with Example' }).click()
  if (name) {
    await one.page.getByLabel('Username').fill(name)
    await one.page.getByLabel('Password').fill(`${name}-password`)
    await one.page.getByRole('button', { name: 'Login' }).click()
  }
  await one.page.waitForURL(`${portal.url}/**`)
}

test('the first sign-in makes an account, and the second, with the session there, changes nothing', async (t) => {
  const { portal, comes } = await house(t)
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
  const { portal, comes } = await house(t)
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
  const { portal, comes } = await house(t, { 'saml20.sign.response': false })
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  assert.match(await alice.heading(), /Alice Example\s+active/)
})

test('whoever signs out here and there is asked for the password again', async (t) => {
  const { portal, comes } = await house(t)
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  await alice.page.getByRole('button', { name: 'Sign out' }).click()
  await alice.page.getByRole('link', { name: 'Sign out at Example too' }).click()
  await alice.page.waitForURL(`${portal.url}/`)
  await alice.page.getByRole('link', { name: 'Sign in with Example' }).click()
  await alice.page.getByLabel('Password').waitFor()
})

test('whoever signs out there is out here', async (t) => {
  const { portal, comes } = await house(t)
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  const back = `${idp.issuer}/simplesaml/logout.php`
  await alice.page.goto(`${idp.issuer}/simplesaml/saml2/idp/initSLO.php?RelayState=${encodeURIComponent(back)}`)
  await alice.page.waitForURL((url) => url.href.startsWith(back))
  await alice.page.goto(`${portal.url}/me`)
  assert.equal(await alice.heading(), 'Sign in')
})
