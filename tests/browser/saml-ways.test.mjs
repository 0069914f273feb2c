// The other ways of SAML through the portal, with SimpleSAMLphp: encrypted assertions, requests by form, sign-ins that the
// provider begins.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { after, before, test } from 'node:test'
import { signIn, startWorld, typePassword } from './lib/ssp.mjs'

// SimpleSAMLphp encrypts in CBC mode, which is read under a signed response where the connection says so.
const CBC = 'legacy = { cbc_under_signed_response = true }'

let world

before(async () => (world = await startWorld()))
after(() => world?.stop())

// Its present key for decryption is the second of two: the first is the next one.
async function encrypting() {
  const [next, key, certificate] = await Promise.all(['other.key', 'decryption.key', 'decryption.crt'].map((name) => world.key(name)))
  return {
    options: { 'assertion.encryption': true },
    protocol: `publish = { encryption = ["""${certificate}"""] }`,
    saml: `decryption_keys = ["""${next}""", """${key}"""]`,
  }
}

// The response that a browser posts to the portal.
function posted(one) {
  const seen = {}
  one.page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/saml/example/acs')) seen.form = new URLSearchParams(request.postData())
  })
  seen.text = () => Buffer.from(seen.form.get('SAMLResponse'), 'base64').toString()
  return seen
}

test('an assertion that was encrypted for the portal is read', async (t) => {
  const { portal, comes } = await world.house(t, { ...(await encrypting()), idp: world.described(CBC) })
  const alice = await comes()
  const seen = posted(alice)
  await signIn(alice, portal, 'alice')
  assert.match(await alice.heading(), /Alice Example\s+active/)
  assert.match(await alice.section('Identity'), /alice@example\.com\s+verified/)
  assert.match(seen.text(), /<saml:EncryptedAssertion/)
  assert.doesNotMatch(seen.text(), /alice/)
})

test('encryption in CBC mode is refused unless the connection says so, and where nobody signed around it', async (t) => {
  const strict = await world.house(t, { ...(await encrypting()), idp: world.described() })
  const alice = await strict.comes()
  await signIn(alice, strict.portal, 'alice')
  assert.match(await alice.page.getByRole('alert').innerText(), /Code saml\.encryption_cbc/)

  const { options, ...keys } = await encrypting()
  const unsigned = { ...options, 'saml20.sign.response': false }
  const lenient = await world.house(t, { ...keys, options: unsigned, idp: world.described(CBC) })
  const other = await lenient.comes()
  await signIn(other, lenient.portal, 'alice')
  assert.match(await other.page.getByRole('alert').innerText(), /Code saml\.encryption_cbc/)
})

test('a request goes by form, signed, where the provider wants that', async (t) => {
  const options = { 'validate.authnrequest': true }
  const { portal, comes } = await world.house(t, { options, idp: world.described('sign_on_binding = "post"') })
  const alice = await comes()
  let request
  alice.page.on('request', (sent) => {
    if (sent.method() === 'POST' && sent.url().includes('SSOService')) request = new URLSearchParams(sent.postData())
  })
  await alice.page.goto(portal.url)
  await alice.page.getByRole('link', { name: 'Sign in with Example' }).click()
  assert.equal(await alice.heading(), 'Go on to Example')
  await alice.page.getByRole('button', { name: 'Continue' }).click()
  await typePassword(alice, 'alice')
  await alice.page.waitForURL(`${portal.url}/**`)
  assert.match(await alice.heading(), /Alice Example\s+active/)
  const text = Buffer.from(request.get('SAMLRequest'), 'base64').toString()
  assert.match(text, /^<samlp:AuthnRequest [\s\S]*<ds:Signature /)
  assert.ok(request.get('RelayState').length <= 80)
})

test('a form leads on to whichever host the provider signs people in at', async (t) => {
  const provider = createServer((request, response) => {
    const { port } = provider.address()
    if (request.method === 'POST') response.writeHead(303, { location: `http://localhost:${port}/inside` }).end()
    else response.end('<h1>Inside</h1>')
  })
  await new Promise((resolve) => provider.listen(0, resolve))
  t.after(() => provider.close())
  const address = `sign_on_url = "http://127.0.0.1:${provider.address().port}/sso"`
  const idp = world.described('sign_on_binding = "post"').replace(/sign_on_url = "[^"]+"/, address)
  const { portal, comes } = await world.house(t, { idp })
  const alice = await comes()
  await alice.page.goto(portal.url)
  await alice.page.getByRole('link', { name: 'Sign in with Example' }).click()
  await alice.page.getByRole('button', { name: 'Continue' }).click()
  assert.equal(await alice.heading(), 'Inside')
})

// Goes to where the provider lists its applications, and chooses the portal.
async function beginThere(one, portal, relayState) {
  const service = new URL(`${world.idp.issuer}/simplesaml/saml2/idp/SSOService.php`)
  service.searchParams.set('spentityid', `${portal.url}/saml/example/metadata`)
  if (relayState) service.searchParams.set('RelayState', relayState)
  await one.page.goto(service.href)
  await typePassword(one, 'alice')
  await one.page.waitForURL(`${portal.url}/**`)
}

test('a sign-in that the provider begins is refused', async (t) => {
  const { portal, comes } = await world.house(t)
  for (const [relayState, code] of [[undefined, /saml\.relay_state_missing/], ['/elsewhere', /saml\.state_not_this_browser/]]) {
    const alice = await comes()
    await beginThere(alice, portal, relayState)
    assert.match(await alice.page.getByRole('alert').innerText(), code)
    await alice.page.goto(`${portal.url}/me`)
    assert.equal(await alice.heading(), 'Sign in')
  }
})

test('a sign-in that the provider begins is taken where the connection accepts that, and counts once', async (t) => {
  const { portal, comes } = await world.house(t, { unsolicited: true })
  const alice = await comes()
  const seen = posted(alice)
  await beginThere(alice, portal)
  assert.match(await alice.heading(), /Alice Example\s+active/)
  const again = await alice.context.request.post(`${portal.url}/saml/example/acs`, { form: Object.fromEntries(seen.form) })
  assert.equal(again.status(), 403)
  assert.match(await again.text(), /saml\.replayed/)

  const another = await comes()
  await beginThere(another, portal, '/elsewhere')
  assert.match(await another.heading(), /Alice Example\s+active/, 'a RelayState of its own leads nowhere else')

  // What answers a request of another browser is none that nobody asked for.
  const asked = await comes()
  const answer = posted(asked)
  await signIn(asked, portal, 'alice')
  const stolen = await another.context.request.post(`${portal.url}/saml/example/acs`, { form: Object.fromEntries(answer.form) })
  assert.equal(stolen.status(), 403)
  assert.match(await stolen.text(), /saml\.in_response_to_unexpected/)
})

test('whoever was refused begins anew', async (t) => {
  const { portal, comes } = await world.house(t)
  await world.idp.control('login?user=deny')
  t.after(() => world.idp.control('logout'))
  const alice = await comes()
  await alice.page.goto(portal.url)
  await alice.page.getByRole('link', { name: 'Sign in with Example' }).click()
  await alice.page.waitForURL(`${portal.url}/**`)
  assert.match(await alice.page.getByRole('alert').innerText(), /Code saml\.status_/)
  await world.idp.control('logout')
  await alice.page.getByRole('link', { name: 'Try again' }).click()
  await typePassword(alice, 'alice')
  await alice.page.waitForURL(`${portal.url}/**`)
  assert.match(await alice.heading(), /Alice Example\s+active/)
})

test('a sign-out goes by form, signed, where the provider wants that', async (t) => {
  const { portal, comes } = await world.house(t, { idp: world.described('logout_binding = "post"') })
  const alice = await comes()
  await signIn(alice, portal, 'alice')
  await alice.page.getByRole('button', { name: 'Sign out' }).click()
  const demand = alice.page.waitForRequest((sent) => sent.method() === 'POST' && sent.url().includes('SingleLogoutService'))
  await alice.page.getByRole('button', { name: 'Sign out at Example too' }).click()
  const text = Buffer.from(new URLSearchParams((await demand).postData()).get('SAMLRequest'), 'base64').toString()
  assert.match(text, /^<samlp:LogoutRequest [\s\S]*<ds:Signature /)
  await alice.page.waitForURL(`${portal.url}/`)
  await alice.page.getByRole('link', { name: 'Sign in with Example' }).click()
  await alice.page.getByLabel('Password').waitFor()
})
