import assert from 'node:assert/strict'
import http from 'node:http'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { openChromium, picture } from '../lib/chromium.mjs'
import { OIDC_OP, startPeer } from '../lib/peer.mjs'
import { RelyingParty } from '../lib/relying-party.mjs'

const application = http.createServer((_request, response) => response.end('<h1>back at the application</h1>'))
let op, chromium, rp

before(async () => {
  await once(application.listen(0, '127.0.0.1'), 'listening')
  op = await startPeer(OIDC_OP, ['--port', '0'])
  chromium = await openChromium()
  const redirectUri = `http://127.0.0.1:${application.address().port}/cb`
  rp = await RelyingParty.discover(op.issuer, { id: 'jit-public', redirectUri })
})
after(async () => {
  await chromium?.close()
  await op?.stop()
  application.close()
})

test('a person types a wrong and a right password into a real browser', async () => {
  const page = await (await chromium.newContext()).newPage()
  const request = rp.authorizationRequest()
  await page.goto(request.url)
  await signIn(page, 'alice@example.com', 'guess')
  assert.equal(await page.getByRole('alert').textContent(), 'User name or password is wrong.')
  await picture(page, 'peer-login-refused')
  await signIn(page, 'alice@example.com', 'alice-password')
  await page.getByRole('heading', { name: 'back at the application' }).waitFor()
  const { claims } = await rp.verify(await rp.redeem(new URL(page.url()), request))
  assert.equal(claims.sub, 'alice')
})

test('the next sign-in of the same browser shows no form, unless the application asks for one', async () => {
  const page = await (await chromium.newContext()).newPage()
  await page.goto(rp.authorizationRequest().url)
  await signIn(page, 'bob', 'bob-password')
  await page.goto(rp.authorizationRequest().url)
  await page.getByRole('heading', { name: 'back at the application' }).waitFor()
  await page.goto(rp.authorizationRequest({ prompt: 'login' }).url)
  await page.getByLabel('User name').waitFor()
})

async function signIn(page, name, password) {
  await page.getByLabel('User name').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}
