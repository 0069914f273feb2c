import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { OIDC_OP, startPeer } from '../lib/peer.mjs'
import { Browser, RelyingParty } from '../lib/relying-party.mjs'

const CLIENT = { id: 'jit-rp', secret: 'jit-rp-secret-jit-rp-secret-jit-rp', redirectUri: 'http://127.0.0.1:9/cb' }
let op

before(async () => (op = await startPeer(OIDC_OP, ['--port', '0'])))
beforeEach(() => op.control('reset', {}))
after(() => op.stop())

const relyingParty = (client = CLIENT) => RelyingParty.discover(op.issuer, client)
const browser = (options) => new Browser({ origin: op.issuer, ...options })

test('a scripted sign-in yields a verified ID token with the claims of the person', async () => {
  const rp = await relyingParty()
  const tokens = await rp.signIn(browser(), { login_hint: 'alice;acr=urn:jit:mfa;amr=pwd,otp;auth_age=60' })
  const { claims } = await rp.verify(tokens)
  assert.equal(claims.sub, 'alice')
  assert.equal(claims.email_verified, true)
  assert.deepEqual(claims.groups, ['eng', 'eng-oncall', 'vpn'])
  assert.equal(claims.acr, 'urn:jit:mfa')
  assert.deepEqual(claims.amr, ['pwd', 'otp'])
  assert.ok(claims.iat - claims.auth_time >= 60)
  assert.equal((await rp.userinfo(tokens)).email, 'alice@example.com')
})

test('the answer names its issuer', async () => {
  const rp = await relyingParty()
  const answer = await browser().follow(rp.authorizationRequest({ login_hint: 'bob' }).url)
  assert.equal(answer.searchParams.get('iss'), op.issuer)
})

test('a request without PKCE is refused', async () => {
  const rp = await relyingParty()
  const url = new URL(rp.authorizationRequest({ login_hint: 'bob' }).url)
  url.searchParams.delete('code_challenge')
  url.searchParams.delete('code_challenge_method')
  const answer = await browser().follow(url.href)
  assert.equal(answer.searchParams.get('error'), 'invalid_request')
})

test('a scripted denial comes back as an error', async () => {
  const rp = await relyingParty()
  await assert.rejects(rp.signIn(browser(), { login_hint: 'deny' }), /access_denied/)
})

test('a person signs in with a form, after a wrong password', async () => {
  const rp = await relyingParty()
  const person = browser({ person: true })
  const request = rp.authorizationRequest()
  const page = await openForm(person, request.url)
  const wrong = await person.request(page, { method: 'POST', body: form('alice', 'guess') })
  assert.equal(wrong.status, 401)
  assert.match(await wrong.text(), /role="alert"/)
  const right = await person.request(page, { method: 'POST', body: form('alice', 'alice-password') })
  const answer = await person.follow(new URL(right.headers.get('location'), page).href)
  const { claims } = await rp.verify(await rp.redeem(answer, request))
  assert.equal(claims.sub, 'alice')
})

test('a person who cancels denies access', async () => {
  const rp = await relyingParty()
  const person = browser({ person: true })
  const page = await openForm(person, rp.authorizationRequest().url)
  const cancelled = await person.request(page, { method: 'POST', body: new URLSearchParams({ action: 'cancel' }) })
  const answer = await person.follow(new URL(cancelled.headers.get('location'), page).href)
  assert.equal(answer.searchParams.get('error'), 'access_denied')
})

test('the page shows markup in a client name as text', async () => {
  const client = { id: '<b>"client"', secret: 'a-secret-for-tests-only-0123456789abcd', redirectUri: CLIENT.redirectUri }
  await op.control('clients', {
    client_id: client.id, client_secret: client.secret, redirect_uris: [client.redirectUri], response_types: ['code'],
  })
  const rp = await relyingParty(client)
  const person = browser({ person: true })
  const page = await openForm(person, rp.authorizationRequest().url)
  const html = await (await person.request(page)).text()
  assert.ok(!html.includes('<b>"client"'))
})

test('people come, change and go while the server runs', async () => {
  await op.control('users', { zoe: { email: 'zoe@example.com', email_verified: true } })
  const rp = await relyingParty()
  const { claims } = await rp.verify(await rp.signIn(browser(), { login_hint: 'zoe' }))
  assert.equal(claims.email, 'zoe@example.com')
  await op.control('delete', { sub: 'zoe' })
  await assert.rejects(rp.signIn(browser(), { login_hint: 'zoe' }))
})

test('keys rotate, also between the authorization and the token request', async () => {
  const rp = await relyingParty()
  const before = (await rp.verify(await rp.signIn(browser(), { login_hint: 'bob' }))).header.kid
  const { kid } = await op.control('rotate', { alg: 'RS256' })
  assert.notEqual(kid, before)
  assert.equal((await rp.verify(await rp.signIn(browser(), { login_hint: 'bob' }))).header.kid, kid)
  await op.control('rotate', { mode: 'before_token' })
  const late = (await rp.verify(await rp.signIn(browser(), { login_hint: 'bob' }))).header.kid
  assert.notEqual(late, kid)
})

const FORGERIES = {
  'a foreign issuer': [{ set: { iss: 'https://elsewhere.example' } }, /unexpected "iss"/],
  'a foreign audience': [{ set: { aud: 'somebody-else' } }, /unexpected "aud"/],
  'a broken signature': [{ bad_sig: true }, /signature verification failed/],
  'a key that is not published': [{ unpublished_key: true, header: { kid: 'rs256-0' } }, /no applicable key/],
  'no signature at all': [{ alg: 'none' }, /alg/i],
  'an HMAC with the client secret': [{ alg: 'HS256' }, /alg/i],
}

for (const [name, [order, refusal]] of Object.entries(FORGERIES)) {
  test(`tampering: ${name} is refused by a correct client, once`, async () => {
    const rp = await relyingParty()
    await op.control('tamper', order)
    await assert.rejects(async () => rp.verify(await rp.signIn(browser(), { login_hint: 'bob' })), refusal)
    await rp.verify(await rp.signIn(browser(), { login_hint: 'bob' }))
  })
}

test('tampering reaches discovery, key set, redirect, token answer and userinfo', async () => {
  await op.control('tamper', { discovery: { set: { issuer: 'https://elsewhere.example' } } })
  assert.equal((await relyingParty()).metadata.issuer, 'https://elsewhere.example')
  const rp = await relyingParty()
  await op.control('tamper', { authz: { set: { iss: 'https://elsewhere.example' } } })
  const answer = await browser().follow(rp.authorizationRequest({ login_hint: 'bob' }).url)
  assert.equal(answer.searchParams.get('iss'), 'https://elsewhere.example')
  await op.control('tamper', { token: { unset: ['expires_in'] }, userinfo: { set: { sub: 'mallory' } } })
  const tokens = await rp.signIn(browser(), { login_hint: 'bob' })
  assert.ok(!('expires_in' in tokens))
  assert.equal((await rp.userinfo(tokens)).sub, 'mallory')
  await op.control('tamper', { jwks: 'nokid' })
  const { keys } = await (await fetch(rp.metadata.jwks_uri)).json()
  assert.deepEqual(keys.map((key) => [key.kid, key.alg]), [[undefined, 'RS256'], [undefined, 'RS256']])
})

test('faults strike as often as ordered, and requests are counted', async () => {
  await op.control('fault', { path: '/jwks', status: 503, times: 2 })
  const status = async () => (await fetch(`${op.issuer}/jwks`)).status
  assert.deepEqual([await status(), await status(), await status()], [503, 503, 200])
  assert.deepEqual(await op.control('stats'), { '/jwks': 3 })
})

test('it ends when its parent lets go of standard input', async () => {
  const another = await startPeer(OIDC_OP, ['--port', '0'])
  await another.stop()
  await assert.rejects(fetch(another.issuer))
})

test('it listens on loopback only', async () => {
  await assert.rejects(startPeer(OIDC_OP, ['--port', '0', '--host', '0.0.0.0']), /loopback/)
})

async function openForm(person, url) {
  const redirect = await person.request(url)
  const page = new URL(redirect.headers.get('location'), url).href
  assert.match(await (await person.request(page)).text(), /<label for="username">/)
  return page
}

function form(username, password) {
  return new URLSearchParams({ username, password, action: 'sign-in' })
}
