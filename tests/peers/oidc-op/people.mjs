// The people who can sign in: a map from subject to claims, changed while the server runs.
import { readFileSync } from 'node:fs'
import { timingSafeEqual } from 'node:crypto'

export class People {
  #issuer
  #claimsBySubject

  constructor(file, issuer) {
    this.#issuer = issuer
    this.#claimsBySubject = JSON.parse(readFileSync(file, 'utf8'))
  }

  upsert(people) {
    Object.assign(this.#claimsBySubject, people)
    return Object.keys(this.#claimsBySubject)
  }

  remove(subject) {
    delete this.#claimsBySubject[subject]
  }

  // What oidc-provider calls an account.
  find(subject) {
    const stored = this.#claimsBySubject[subject]
    if (!stored) return undefined
    const { password: _, ...claims } = expand(stored, this.#issuer)
    return { accountId: subject, claims: async () => ({ sub: subject, ...claims }) }
  }

  // A person types the subject, the user name or the e-mail address, and a password.
  signIn(name, password) {
    const found = Object.entries(this.#claimsBySubject).find(
      ([subject, claims]) => name === subject || name === claims.preferred_username || name === claims.email,
    )
    if (!found) return undefined
    const [subject, claims] = found
    return sameText(password, claims.password ?? `${subject}-password`) ? subject : undefined
  }
}

function sameText(left, right) {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}

// "@issuer" inside a text becomes the issuer, the value "@200" a list of 200 groups.
function expand(value, issuer) {
  if (value === '@200') return Array.from({ length: 200 }, (_, index) => `group-${index}`)
  if (typeof value === 'string') return value.replaceAll('@issuer', issuer)
  if (Array.isArray(value)) return value.map((item) => expand(item, issuer))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, expand(item, issuer)]))
}
