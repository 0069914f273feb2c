// The signing keys: made at test time, one for each algorithm, newest first; exchanged on demand.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { exportJWK, generateKeyPair, importJWK } from 'jose'

export const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'Ed25519', 'EdDSA']

export class KeyRing {
  #keys
  #made

  constructor(keys) {
    this.#keys = keys
    this.#made = keys.length
  }

  // Making RSA keys takes most of the start-up, hence the file; it is a test's cache and never committed.
  static async open(file) {
    if (file && existsSync(file)) return new KeyRing(JSON.parse(readFileSync(file, 'utf8')))
    const keys = await Promise.all(ALGORITHMS.map((algorithm, index) => newKey(algorithm, index + 1)))
    if (file) replaceFile(file, JSON.stringify(keys))
    return new KeyRing(keys)
  }

  get jwks() {
    return { keys: this.#keys }
  }

  get ids() {
    return this.#keys.map((key) => key.kid)
  }

  first(algorithm) {
    return this.#keys.find((key) => key.alg === algorithm)
  }

  async rotate({ mode = 'replace', alg = 'RS256' }) {
    const key = await this.unpublished(alg)
    const kept = mode === 'add' ? this.#keys : this.#keys.filter((other) => other.alg !== alg)
    this.#keys = [key, ...kept]
    return key.kid
  }

  // A key that no key set ever shows.
  async unpublished(algorithm) {
    this.#made += 1
    return newKey(algorithm, this.#made)
  }
}

export async function signingKey(jwk) {
  return importJWK(jwk, jwk.alg)
}

async function newKey(algorithm, number) {
  const crv = algorithm.startsWith('Ed') ? 'Ed25519' : undefined
  const { privateKey } = await generateKeyPair(algorithm, { extractable: true, modulusLength: 2048, crv })
  const kid = `${algorithm.toLowerCase()}-${number}`
  return { ...(await exportJWK(privateKey)), use: 'sig', alg: algorithm, kid }
}

// Two providers may start at once: neither may read half a file.
function replaceFile(file, text) {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, text, { mode: 0o600 })
  renameSync(draft, file)
}
