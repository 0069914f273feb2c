import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { SECOND_OP, startPeer } from '../lib/peer.mjs'
import { Browser, RelyingParty } from '../lib/relying-party.mjs'

const CLIENT = { id: 'jit-second', secret: 'a-secret-for-tests-only', redirectUri: 'http://127.0.0.1:9/cb' }
let op

before(async () => {
  op = await startPeer(SECOND_OP, ['--port', '0'])
  await op.control('client', { client_id: CLIENT.id, client_secret: CLIENT.secret, redirect_uris: [CLIENT.redirectUri] })
})
after(() => op.stop())

test('a scripted sign-in yields a verified ID token', async () => {
  await op.control('login?user=alice')
  const rp = await RelyingParty.discover(op.issuer, CLIENT)
  const tokens = await rp.signIn(new Browser({ origin: op.issuer }))
  const { claims } = await rp.verify(tokens)
  await op.control('logout')
  assert.equal(claims.sub, 'alice')
  assert.deepEqual(claims.groups ?? (await rp.userinfo(tokens)).groups, ['eng', 'staff'])
})

test('a person signs in at its own pages', async () => {
  const rp = await RelyingParty.discover(op.issuer, CLIENT)
  const person = new Browser({ origin: op.issuer, person: true })
  const request = rp.authorizationRequest()
  const toName = await redirectOf(person, request.url)
  const toPassword = await redirectOf(person, toName, { login: 'bob' })
  const back = await redirectOf(person, toPassword, { password: 'bob-password' })
  const { claims } = await rp.verify(await rp.redeem(await person.follow(back), request))
  assert.equal(claims.sub, 'bob')
})

async function redirectOf(person, url, form) {
  const options = form ? { method: 'POST', body: new URLSearchParams(form) } : {}
  const response = await person.request(url, options)
  assert.equal(response.status, 302, `${new URL(url).pathname} answered ${response.status}`)
  return new URL(response.headers.get('location'), url).href
}
