// Starts a peer from a test and talks to it. The peer ends with the test: its standard input is the lifeline.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const OIDC_OP = fileURLToPath(new URL('../oidc-op/start', import.meta.url))
export const SECOND_OP = fileURLToPath(new URL('../second-op/start', import.meta.url))
export const SAML_SSP = fileURLToPath(new URL('../saml-ssp/start', import.meta.url))
export const SLAPD = fileURLToPath(new URL('../slapd/start', import.meta.url))
export const SAMBA = fileURLToPath(new URL('../samba/start', import.meta.url))
export const SCIM2_SERVER = fileURLToPath(new URL('../scim2-server/start', import.meta.url))
export const SCIM2_CHECK = fileURLToPath(new URL('../scim2-cli/check', import.meta.url))
export const SCIMMY = fileURLToPath(new URL('../scimmy/start', import.meta.url))
export const POSTGRES = fileURLToPath(new URL('../postgres/start', import.meta.url))

// Resolves with the first line a peer prints, which says that it is ready.
export async function startPeer(program, args = []) {
  const child = spawn(program, [...args, '--stdin-lifeline'], { stdio: ['pipe', 'pipe', 'pipe'] })
  let complaints = ''
  child.stderr.on('data', (text) => (complaints += text))
  const exited = once(child, 'exit')
  const line = once(createInterface(child.stdout), 'line')
  const first = await Promise.race([line, exited.then(() => undefined)])
  if (!first) throw new Error(`${program} did not start: ${complaints}`)
  return new Peer(child, exited, first[0])
}

class Peer {
  #child
  #exited

  constructor(child, exited, readyLine) {
    this.#child = child
    this.#exited = exited
    this.readyLine = readyLine
  }

  get issuer() {
    return JSON.parse(this.readyLine).issuer
  }

  get pid() {
    return this.#child.pid
  }

  async control(command, body) {
    const post = { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    const response = await fetch(`${this.issuer}/_ctl/${command}`, body === undefined ? {} : post)
    if (!response.ok) throw new Error(`/_ctl/${command} answered ${response.status}`)
    return response.json()
  }

  async stop() {
    this.#child.stdin.end()
    await this.#exited
  }
}
