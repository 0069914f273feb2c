// One provider behind one HTTP server: counts requests, strikes with faults, tampers, and hands the rest to oidc-provider.
import http from 'node:http'
import { control } from './control.mjs'
import { Faults } from './faults.mjs'
import { sendJson } from './http.mjs'
import { KeyRing } from './keys.mjs'
import { People } from './people.mjs'
import { buildProvider, storeClients } from './provider.mjs'
import { interact } from './sign-in.mjs'
import { Tampering } from './tamper.mjs'

export class Server {
  stats = {}
  rotation = null
  faults = new Faults()
  tampering = new Tampering()
  #options
  #provider
  #handler

  static async start(options) {
    const server = new Server()
    server.#options = options
    server.keys = await KeyRing.open(options.keys)
    await storeClients()
    await server.#listen(options)
    return server
  }

  async rotate(order) {
    const kid = await this.keys.rotate(order)
    this.#rebuild()
    return kid
  }

  // The issuer names the port, and the port is known only when we listen.
  async #listen({ host, port, issuer, users }) {
    const listener = http.createServer((request, response) => this.#answer(request, response))
    await new Promise((resolve, reject) => listener.once('error', reject).listen(port, host, resolve))
    const shown = host.includes(':') ? `[${host}]` : host
    this.issuer = issuer ?? `http://${shown}:${listener.address().port}`
    this.people = new People(users, this.issuer)
    this.#rebuild()
  }

  #rebuild() {
    this.#provider = buildProvider({ ...this.#options, issuer: this.issuer, keys: this.keys, people: this.people })
    this.#handler = this.#provider.callback()
  }

  async #answer(request, response) {
    try {
      await this.#route(request, response, new URL(request.url, this.issuer).pathname)
    } catch (error) {
      if (this.#options.debug) console.error(error)
      if (!response.headersSent) sendJson(response, 500, { error: String(error) })
    }
  }

  async #route(request, response, path) {
    if (path.startsWith('/_ctl/')) return control(this, request, response, path)
    const counted = countedAs(path)
    this.stats[counted] = (this.stats[counted] ?? 0) + 1
    if (await this.faults.strike(path, response)) return undefined
    if (path.startsWith('/interaction/')) {
      return interact({ provider: this.#provider, people: this.people, request, response })
    }
    if (path.startsWith('/graph/users/')) return sendJson(response, 200, groupsOfOverage())
    if (path === '/token') await this.#rotateIfOrdered()
    this.tampering.apply(path, response, this.keys)
    return this.#handler(request, response)
  }

  async #rotateIfOrdered() {
    if (!this.rotation) return
    const order = this.rotation
    this.rotation = null
    await this.rotate(order)
  }
}

function countedAs(path) {
  if (path.startsWith('/interaction/')) return '/interaction'
  if (path.startsWith('/auth/')) return '/auth/:uid'
  return path
}

function groupsOfOverage() {
  return { value: Array.from({ length: 250 }, (_, index) => `gid-${index}`) }
}
