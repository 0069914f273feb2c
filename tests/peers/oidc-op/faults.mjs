// Faults of the network and of a server in trouble: {"path": "/jwks", "status": 503, "delay_ms": 0, "body": "…", "headers": {}, "times": 3}
import { setTimeout as pause } from 'node:timers/promises'

export class Faults {
  #pending = []

  add(fault) {
    this.#pending.push({ times: 1, ...fault })
  }

  clear() {
    this.#pending = []
  }

  // Answers in the provider's place where a fault says so; true if it did.
  async strike(path, response) {
    const fault = this.#pending.find((candidate) => candidate.path === path)
    if (!fault) return false
    fault.times -= 1
    if (fault.times <= 0) this.#pending = this.#pending.filter((other) => other !== fault)
    if (fault.delay_ms) await pause(fault.delay_ms)
    if (fault.status === undefined && fault.body === undefined) return false
    response.writeHead(fault.status ?? 200, { 'content-type': 'application/json', ...fault.headers })
    response.end(fault.body ?? '{}')
    return true
  }
}
