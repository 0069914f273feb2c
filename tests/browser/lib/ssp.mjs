// SimpleSAMLphp, which shares no code with us, and portals that know it.
import { execFileSync } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SAML_SSP, startPeer } from '../../peers/lib/peer.mjs'
import { launch } from './browser.mjs'
import { freePort, startConfigured, startSomewhere } from './portal.mjs'
import { visitors } from './visitors.mjs'

const MAKE_KEYS = fileURLToPath(new URL('../../peers/saml-keys/make', import.meta.url))
const BINDINGS = 'urn:oasis:names:tc:SAML:2.0:bindings:'

// Everything that the tests of a file share.
export async function startWorld() {
  const folder = await mkdtemp(join(tmpdir(), 'keys-'))
  execFileSync(MAKE_KEYS, [folder])
  const [browser, idp] = await Promise.all([launch(), startPeer(SAML_SSP, ['--port', '0'])])
  const { entity_id: issuer, metadata } = JSON.parse(idp.readyLine)
  const text = await (await fetch(metadata)).text()
  return new World({ folder, browser, idp, issuer, metadata, text })
}

class World {
  constructor(parts) {
    Object.assign(this, parts)
  }

  async stop() {
    await this.browser.close()
    await this.idp.stop()
    await rm(this.folder, { recursive: true, force: true })
  }

  key(name) {
    return readFile(join(this.folder, `${name}.pem`), 'utf8')
  }

  // The provider as a connection describes it whose administrator has its certificate and addresses, and nothing else.
  described(more = '') {
    const pem = /<ds:X509Certificate>([^<]+)</.exec(this.text)[1].replace(/\s/g, '')
    const at = (service) => new RegExp(`<md:${service} Binding="${BINDINGS}HTTP-Redirect" Location="([^"]+)"`).exec(this.text)[1]
    return `
[connection.protocol.saml.idp]
entity_id = "${this.issuer}"
certificates = ["-----BEGIN CERTIFICATE-----\\n${pem}\\n-----END CERTIFICATE-----"]
sign_on_url = "${at('SingleSignOnService')}"
logout_url = "${at('SingleLogoutService')}"
${more}`
  }

  // A portal that SimpleSAMLphp knows by the metadata that it publishes. `options` are SimpleSAMLphp's for it; `protocol`
  // and `saml` are lines of the configuration, `idp` a table of it in the place of the metadata that is fetched otherwise.
  async house(t, { options = {}, protocol = '', saml = '', idp = '', unsolicited = false } = {}) {
    const settings = { protocol: `${protocol}\n${this.fetched(idp)}`, saml, idp, unsolicited }
    const portal = await startSomewhere(async () =>
      startConfigured(await this.configuration(`http://127.0.0.1:${await freePort()}`, settings)))
    const metadata = await (await fetch(`${portal.url}/saml/example/metadata`)).text()
    await this.idp.control('sp', { metadata, options: { 'sign.logout': true, 'validate.logout': true, ...options } })
    return { portal, comes: visitors(t, portal, this.browser) }
  }

  fetched(idp) {
    return idp ? '' : `metadata = { url = "${this.metadata}", dangerously_unsigned = true }`
  }

  async configuration(base, { protocol, saml, idp, unsolicited }) {
    const [key, certificate] = await Promise.all([this.key('rsa.key'), this.key('rsa.crt')])
    return `
[portal]
listen = "${base.slice('http://'.length)}"
base_url = "${base}"
store = "sqlite:accounts.db"

[[connection]]
id = "example"
tenant = "example"
issuers = ["${this.issuer}"]
domains = ["example.com"]
ceiling = ["role:engineer", "role:admin"]
link = [{ by = { email = "when_authoritative" } }]

[connection.protocol]
label = "Example"
${protocol}

[connection.protocol.saml]
entity_id = "${base}/saml/example/metadata"
acs_url = "${base}/saml/example/acs"
signing = { key = """${key}""", certificate = """${certificate}""" }
${saml}

[connection.protocol.saml.dangerous]
allow_loopback_http = true
accept_unsolicited = ${unsolicited}
${idp}

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
}

// Types name and password where SimpleSAMLphp asks for them; it remembers who signed in before.
export async function signIn(one, portal, name) {
  await one.page.goto(portal.url)
  await one.page.getByRole('link', { name: 'Sign in with Example' }).click()
  if (name) await typePassword(one, name)
  await one.page.waitForURL(`${portal.url}/**`)
}

export async function typePassword(one, name) {
  await one.page.getByLabel('Username').fill(name)
  await one.page.getByLabel('Password').fill(`${name}-password`)
  await one.page.getByRole('button', { name: 'Login' }).click()
}
