// Keeps what SCIMMY is told: it brings no store of its own.
import { randomUUID } from 'node:crypto'

import SCIMMY from 'scimmy'

export class Collection {
  #resources = new Map()
  #names = new Map()
  #unique

  // `unique` is the attribute of which no two resources have the same value, whatever its case.
  constructor(unique) {
    this.#unique = unique
  }

  handlers() {
    return {
      ingress: (asked, resource) => this.write(asked.id, JSON.parse(JSON.stringify(resource))),
      egress: (asked) => this.#read(asked),
      degress: (asked) => this.#remove(asked.id),
    }
  }

  #read(asked) {
    if (asked.id) return this.#known(asked.id)
    const all = [...this.#resources.values()]
    return asked.filter ? asked.filter.match(all) : all
  }

  write(id, resource) {
    const before = id && this.#known(id)
    const name = String(resource[this.#unique]).toLowerCase()
    const owner = this.#names.get(name)
    if (owner && owner !== id) throw new SCIMMY.Types.Error(409, 'uniqueness', `${this.#unique} is taken`)
    const now = new Date().toISOString()
    const { password, ...kept } = resource
    const after = { ...kept, id: id ?? randomUUID(), meta: { created: before?.meta.created ?? now, lastModified: now } }
    if (before) this.#names.delete(String(before[this.#unique]).toLowerCase())
    this.#names.set(name, after.id)
    this.#resources.set(after.id, after)
    return after
  }

  #remove(id) {
    this.#names.delete(String(this.#known(id)[this.#unique]).toLowerCase())
    this.#resources.delete(id)
  }

  #known(id) {
    const known = this.#resources.get(id)
    if (!known) throw new SCIMMY.Types.Error(404, null, `Resource ${id} not found`)
    return known
  }
}

export function person(number) {
  const name = `person-${number}@example.com`
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
    userName: name,
    externalId: `external-${number}`,
    name: { givenName: 'Person', familyName: `Number ${number}` },
    displayName: `Person ${number}`,
    emails: [{ value: name, type: 'work', primary: true }],
    active: true,
  }
}
