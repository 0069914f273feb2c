// What oidc-provider stores, in memory. One store outlives the provider objects, so that keys can be
// exchanged on a running server: the sessions and codes of the old object are known to the new one.
const records = new Map()
const keysByGrant = new Map()

export class MemoryAdapter {
  constructor(model) {
    this.model = model
  }

  async upsert(id, payload, expiresIn) {
    const key = this.#key(id)
    records.set(key, { payload, expiresAt: expiresIn ? Date.now() + expiresIn * 1000 : Infinity })
    if (payload.uid) records.set(`uid:${payload.uid}`, { payload: key, expiresAt: Infinity })
    if (payload.grantId) {
      if (!keysByGrant.has(payload.grantId)) keysByGrant.set(payload.grantId, new Set())
      keysByGrant.get(payload.grantId).add(key)
    }
  }

  async find(id) {
    return live(this.#key(id))
  }

  async findByUid(uid) {
    const key = live(`uid:${uid}`)
    return key && live(key)
  }

  async findByUserCode() {
    return undefined
  }

  async consume(id) {
    const payload = live(this.#key(id))
    if (payload) payload.consumed = Math.floor(Date.now() / 1000)
  }

  async destroy(id) {
    records.delete(this.#key(id))
  }

  async revokeByGrantId(grantId) {
    for (const key of keysByGrant.get(grantId) ?? []) records.delete(key)
    keysByGrant.delete(grantId)
  }

  #key(id) {
    return `${this.model}:${id}`
  }
}

function live(key) {
  const record = records.get(key)
  if (!record) return undefined
  if (record.expiresAt >= Date.now()) return record.payload
  records.delete(key)
  return undefined
}
