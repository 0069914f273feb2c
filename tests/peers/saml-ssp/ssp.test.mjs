import assert from 'node:assert/strict'
import { once } from 'node:events'
import http from 'node:http'
import { after, before, test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { openChromium, picture } from '../lib/chromium.mjs'
import { SAML_SSP, startPeer } from '../lib/peer.mjs'
import { Browser } from '../lib/relying-party.mjs'

const SP = 'https://sp.example.com/saml'
const PERSISTENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent'
const application = http.createServer(receive)
let idp, chromium, acs, received

before(async () => {
  await once(application.listen(0, '127.0.0.1'), 'listening')
  acs = `http://127.0.0.1:${application.address().port}/acs`
  idp = await startPeer(SAML_SSP, ['--port', '0'])
  await idp.control('sp', { entity_id: SP, acs })
  chromium = await openChromium()
})
after(async () => {
  await chromium?.close()
  await idp?.stop()
  application.close()
})

test('its metadata names the key and the endpoints', async () => {
  const { entity_id: id, metadata } = JSON.parse(idp.readyLine)
  const text = await (await fetch(metadata)).text()
  assert.ok(text.includes(`entityID="${id}"`))
  assert.match(text, /<md:KeyDescriptor use="signing">/)
  assert.match(text, /<md:SingleSignOnService [^>]*HTTP-Redirect/)
  assert.match(text, /<md:SingleLogoutService /)
})

test('a scripted sign-in yields a response about the person', async () => {
  const response = await scriptedResponse('alice')
  assert.match(response, /InResponseTo="_request"/)
  assert.match(response, new RegExp(`Format="${PERSISTENT}">alice</saml:NameID>`))
  assert.match(response, /alice@example\.com/)
  assert.deepEqual(groupsIn(response), ['eng', 'eng-oncall', 'vpn'])
})

test('a scripted denial comes back as a status', async () => {
  assert.match(await scriptedResponse('deny'), /Value="urn:oasis:names:tc:SAML:2\.0:status:AuthnFailed"/)
})

test('people come and change while the server runs', async () => {
  await idp.control('users', { zoe: { email: 'zoe@example.com', groups: '@3' } })
  assert.deepEqual(groupsIn(await scriptedResponse('zoe')), ['group-0', 'group-1', 'group-2'])
})

test('a service provider can hand in its metadata, and order what is signed', async () => {
  const entity = 'https://other.example.com/saml'
  const metadata = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entity}">
    <SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><AssertionConsumerService
    index="0" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="${acs}"/></SPSSODescriptor>
    </EntityDescriptor>`
  await idp.control('sp', { metadata, options: { 'saml20.sign.response': false } })
  const response = await scriptedResponse('bob', entity)
  assert.equal(response.match(/<ds:Signature /g).length, 1)
})

test('a person types a wrong and a right password into a real browser', async () => {
  await idp.control('logout')
  const page = await (await chromium.newContext()).newPage()
  await page.goto(signInAddress(SP))
  await signIn(page, 'alice', 'guess')
  await page.getByText('Incorrect username or password').waitFor()
  await picture(page, 'peer-saml-refused')
  await signIn(page, 'alice', 'alice-password')
  await page.getByRole('heading', { name: 'back at the application' }).waitFor()
  assert.match(received, />alice<\/saml:NameID>/)
})

test('it ends when its parent lets go of standard input', async () => {
  const another = await startPeer(SAML_SSP, ['--port', '0'])
  await another.stop()
  await assert.rejects(fetch(`${another.issuer}/_ctl/people`))
})

async function scriptedResponse(user, entity = SP) {
  await idp.control(`login?user=${user}`)
  const browser = new Browser({ origin: idp.issuer, person: true })
  const page = await browser.request(signInAddress(entity))
  assert.equal(page.status, 200)
  const [, value] = /name="SAMLResponse" value="([^"]*)"/.exec(await page.text())
  return Buffer.from(value, 'base64').toString()
}

function signInAddress(entity) {
  const request = '<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_request" Version="2.0" ' +
    `IssueInstant="${new Date().toISOString()}"><saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` +
    `${entity}</saml:Issuer></samlp:AuthnRequest>`
  const address = new URL('/simplesaml/saml2/idp/SSOService.php', idp.issuer)
  address.searchParams.set('SAMLRequest', deflateRawSync(request).toString('base64'))
  return address.href
}

function groupsIn(response) {
  const [, values] = /Name="urn:oid:1\.3\.6\.1\.4\.1\.5923\.1\.5\.1\.1"[^>]*>(.*?)<\/saml:Attribute>/.exec(response)
  return [...values.matchAll(/<saml:AttributeValue[^>]*>([^<]*)</g)].map(([, value]) => value)
}

async function signIn(page, name, password) {
  await page.getByLabel('Username').fill(name)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Login' }).click()
}

async function receive(request, response) {
  let body = ''
  for await (const part of request) body += part
  const message = new URLSearchParams(body).get('SAMLResponse')
  if (message) received = Buffer.from(message, 'base64').toString()
  response.setHeader('content-type', 'text/html')
  response.end('<h1>back at the application</h1>')
}
