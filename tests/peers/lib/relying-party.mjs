// A minimal relying party: the authorization code flow with PKCE, as a browser and an application would do it.
// It exists to prove the peers themselves; the product has a relying party of its own.
import { createHash, randomBytes } from 'node:crypto'
import { createRemoteJWKSet, jwtVerify } from 'jose'

const REDIRECT_LIMIT = 10

export class RelyingParty {
  constructor(metadata, client) {
    this.metadata = metadata
    this.client = client
  }

  static async discover(issuer, client) {
    const response = await fetch(`${issuer}/.well-known/openid-configuration`)
    return new RelyingParty(await response.json(), client)
  }

  // One whole sign-in; the tokens come back unverified.
  async signIn(browser, parameters = {}) {
    const request = this.authorizationRequest(parameters)
    const answer = await browser.follow(request.url)
    return this.redeem(answer, request)
  }

  authorizationRequest(parameters = {}) {
    const verifier = randomBytes(32).toString('base64url')
    const nonce = randomBytes(16).toString('base64url')
    const state = randomBytes(16).toString('base64url')
    const url = new URL(this.metadata.authorization_endpoint)
    url.search = new URLSearchParams({
      client_id: this.client.id,
      redirect_uri: this.client.redirectUri,
      response_type: 'code',
      scope: 'openid profile email groups',
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      nonce,
      state,
      ...parameters,
    })
    return { url: url.href, verifier, nonce, state }
  }

  async redeem(answer, request) {
    if (answer.searchParams.get('state') !== request.state) throw new Error('state does not come back')
    if (answer.searchParams.has('error')) throw new Error(answer.searchParams.get('error'))
    const { id, secret } = this.client
    const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`
    const response = await fetch(this.metadata.token_endpoint, {
      method: 'POST',
      headers: secret ? { authorization } : {},
      body: new URLSearchParams({
        client_id: id,
        grant_type: 'authorization_code',
        code: answer.searchParams.get('code'),
        redirect_uri: this.client.redirectUri,
        code_verifier: request.verifier,
      }),
    })
    if (!response.ok) throw new Error(`token endpoint answered ${response.status}: ${await response.text()}`)
    return { ...(await response.json()), nonce: request.nonce }
  }

  async verify(tokens) {
    const keys = createRemoteJWKSet(new URL(this.metadata.jwks_uri))
    const expected = { issuer: this.metadata.issuer, audience: this.client.id }
    const { payload, protectedHeader } = await jwtVerify(tokens.id_token, keys, expected)
    if (payload.nonce !== tokens.nonce) throw new Error('nonce does not come back')
    return { claims: payload, header: protectedHeader }
  }

  async userinfo(tokens) {
    const headers = { authorization: `Bearer ${tokens.access_token}` }
    return (await fetch(this.metadata.userinfo_endpoint, { headers })).json()
  }
}

// Keeps cookies and follows redirects until one leaves the provider.
export class Browser {
  #cookies = new Map()

  constructor({ origin, person = false }) {
    this.origin = origin
    this.accept = person ? 'text/html' : '*/*'
  }

  async follow(url) {
    for (let step = 0; step < REDIRECT_LIMIT; step += 1) {
      const response = await this.request(url)
      const location = response.headers.get('location')
      if (!location) throw new Error(`no redirect from ${new URL(url).pathname}: ${response.status}`)
      url = new URL(location, url).href
      if (new URL(url).origin !== this.origin) return new URL(url)
    }
    throw new Error('too many redirects')
  }

  async request(url, options = {}) {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { accept: this.accept, cookie }
    const response = await fetch(url, { redirect: 'manual', ...options, headers })
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)
      if (value === '') this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    return response
  }
}
