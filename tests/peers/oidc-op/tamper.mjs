// Makes the provider misbehave on demand, so that a test sees what the client under test refuses.
//
// {"times": 1,
//  "set": {"iss": "x"}, "unset": ["sub"], "header": {"kid": null}, "alg": "none", "bad_sig": true, "unpublished_key": true,
//  "token": {"set": …, "unset": …}, "userinfo": {…}, "discovery": {…}, "authz": {…}, "jwks": "nokid" | "nokid_single"}
// The second line changes the ID token, the third other answers.
import { SignJWT } from 'jose'
import { interceptBody, interceptLocation } from './http.mjs'
import { signingKey } from './keys.mjs'
import { MemoryAdapter } from './storage.mjs'

const ID_TOKEN_FIELDS = ['set', 'unset', 'header', 'alg', 'bad_sig', 'unpublished_key']
const DISCOVERY = '/.well-known/openid-configuration'

export class Tampering {
  #order = null

  order(order) {
    this.#order = order.clear ? null : { times: 1, ...order }
  }

  clear() {
    this.#order = null
  }

  apply(path, response, keys) {
    const order = this.#order
    if (!order) return
    if (path === '/token') this.#tokens(order, response, keys)
    else if (path === '/me' && order.userinfo) this.#json(response, order.userinfo)
    else if (path === DISCOVERY && order.discovery) this.#json(response, order.discovery)
    else if (path === '/jwks' && order.jwks) interceptBody(response, (text) => withoutKeyIds(text, order.jwks, keys))
    else if (path.startsWith('/auth') && order.authz) this.#redirect(order, response)
  }

  #spend() {
    this.#order.times -= 1
    if (this.#order.times <= 0) this.#order = null
  }

  #json(response, change) {
    interceptBody(response, (text) => {
      this.#spend()
      return JSON.stringify(edit(JSON.parse(text), change))
    })
  }

  #tokens(order, response, keys) {
    const changesIdToken = ID_TOKEN_FIELDS.some((field) => field in order)
    if (!changesIdToken && !order.token) return
    interceptBody(response, async (text) => {
      const answer = JSON.parse(text)
      if (!answer.id_token) return text
      if (changesIdToken) answer.id_token = await forge(answer.id_token, order, keys)
      // A change of userinfo is still to come in the same sign-in: the order is spent there.
      if (!order.userinfo) this.#spend()
      return JSON.stringify(edit(answer, order.token))
    })
  }

  #redirect(order, response) {
    interceptLocation(response, (location) => {
      const url = new URL(location, 'http://unused.invalid')
      if (!url.searchParams.has('code') && !url.searchParams.has('error')) return location
      for (const name of order.authz.unset ?? []) url.searchParams.delete(name)
      for (const [name, value] of Object.entries(order.authz.set ?? {})) url.searchParams.set(name, value)
      this.#spend()
      return url.href
    })
  }
}

function edit(object, change) {
  for (const name of change?.unset ?? []) delete object[name]
  return Object.assign(object, change?.set)
}

async function forge(token, order, keys) {
  const [header, claims] = token.split('.').slice(0, 2).map(decode)
  edit(claims, order)
  for (const [name, value] of Object.entries(order.header ?? {})) {
    if (value === null) delete header[name]
    else header[name] = value
  }
  if (order.alg === 'none') return `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`
  header.alg = order.alg ?? header.alg
  const key = await forgersKey(header, claims, order, keys)
  const signed = await new SignJWT(claims).setProtectedHeader(header).sign(key)
  return order.bad_sig ? withBrokenSignature(signed) : signed
}

async function forgersKey(header, claims, order, keys) {
  if (header.alg.startsWith('HS')) {
    delete header.kid
    const client = await new MemoryAdapter('Client').find([claims.aud].flat()[0])
    return new TextEncoder().encode(client?.client_secret ?? 'no-such-client-no-such-client-0123456789')
  }
  if (order.unpublished_key) return signingKey(await keys.unpublished(header.alg))
  const key = keys.first(header.alg)
  if (order.alg && !('kid' in (order.header ?? {}))) header.kid = key.kid
  return signingKey(key)
}

// Changes a character in the middle: the last one may carry bits that decoders ignore.
function withBrokenSignature(token) {
  const at = token.lastIndexOf('.') + 10
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1)
}

// Shows the RS256 key without its `kid`: alone, or behind another RSA key so that a client has to try both.
function withoutKeyIds(text, mode, keys) {
  const answer = JSON.parse(text)
  answer.keys = answer.keys.filter((key) => key.alg === 'RS256')
  if (mode === 'nokid') {
    const { kty, n, e } = keys.first('PS256')
    answer.keys.unshift({ kty, n, e, use: 'sig', alg: 'RS256' })
  }
  for (const key of answer.keys) delete key.kid
  return JSON.stringify(answer)
}

function decode(part) {
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
}

function encode(value) {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}
