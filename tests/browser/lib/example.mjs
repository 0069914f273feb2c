// Example, an OpenID provider that shares no code with us, and portals that know it.
import { OIDC_OP, startPeer } from '../../peers/lib/peer.mjs'
import { launch } from './browser.mjs'
import { freePort, startConfigured, startSomewhere } from './portal.mjs'
import { visitors } from './visitors.mjs'

// Everything that the tests of a file share.
export async function startWorld() {
  const [browser, op] = await Promise.all([launch(), startPeer(OIDC_OP, ['--port', '0'])])
  return new World(browser, op)
}

class World {
  constructor(browser, op) {
    Object.assign(this, { browser, op })
  }

  async stop() {
    await this.browser.close()
    await this.op.stop()
  }

  // A portal of one test, and a way to let people come to it. `files` lie beside its configuration.
  async house(t, { files, ...settings }) {
    const portal = await startSomewhere(async () => startConfigured(await this.configuration(settings), files))
    return { portal, comes: visitors(t, portal, this.browser) }
  }

  // Writes a configuration whose first connection leads to the provider, and makes its client known there. `portal` and
  // `connection` are lines of theirs, `more` are the tables that follow.
  async configuration({ store = 'sqlite:accounts.db', portal = '', connection, scopes = [], more }) {
    const { port, base, callback, id, secret } = await this.client()
    return `
[portal]
listen = "127.0.0.1:${port}"
base_url = "${base}"
store = "${store}"
${portal}

[[connection]]
id = "example"
tenant = "example"
issuers = ["${this.op.issuer}"]
domains = ["example.com"]
${connection}

[connection.protocol]
label = "Example"

[connection.protocol.oidc]
issuer = "${this.op.issuer}"
client_id = "${id}"
client = { method = "client_secret_basic", secret = "${secret}" }
redirect_uri = "${callback}"
scopes = ${JSON.stringify(['openid', 'profile', 'email', ...scopes])}
prompt = "login"
dangerous = { allow_loopback_http = true }
${more}`
  }

  // Makes a portal at a free port known as a client.
  async client() {
    const port = await freePort()
    const base = `http://127.0.0.1:${port}`
    const callback = `${base}/callback/example`
    const id = `portal-${port}`
    const secret = `${id}-secret-for-tests-only-0123456789`
    await this.op.control('clients', {
      client_id: id, client_secret: secret, redirect_uris: [callback],
      grant_types: ['authorization_code'], response_types: ['code'],
    })
    return { port, base, callback, id, secret }
  }
}

// Signs in with a user name and a password, as at any provider.
export async function signIn(one, portal, name) {
  await one.page.goto(portal.url)
  await one.page.getByRole('link', { name: 'Sign in with Example' }).click()
  await one.page.getByLabel('User name').fill(name)
  await one.page.getByLabel('Password').fill(`${name}-password`)
  await one.page.getByRole('button', { name: 'Sign in' }).click()
  await one.page.waitForURL(`${portal.url}/**`)
}
