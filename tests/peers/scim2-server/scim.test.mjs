import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { SCIM2_CHECK, SCIM2_SERVER, SCIMMY, startPeer } from '../lib/peer.mjs'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'

for (const [name, program] of Object.entries({ 'scim2-server': SCIM2_SERVER, SCIMMY })) {
  test(`${name} keeps a person and finds them by name`, async (t) => {
    const { base, ask } = await start(t, program, ['--people', '3'])
    const made = await ask('POST', '/Users', { schemas: [USER], userName: 'alice@example.com', active: true })
    assert.equal(made.status, 201)
    const { id } = await made.json()
    const found = await ask('GET', `/Users?filter=${encodeURIComponent('userName eq "alice@example.com"')}`)
    assert.deepEqual((await found.json()).Resources.map((user) => user.id), [id])
    assert.equal((await (await ask('GET', '/Users')).json()).totalResults, 4)
    const again = await ask('POST', '/Users', { schemas: [USER], userName: 'Alice@example.com' })
    assert.equal(again.status, 409)
    const off = { schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'] }
    off.Operations = [{ op: 'replace', path: 'active', value: false }]
    assert.ok((await ask('PATCH', `/Users/${id}`, off)).ok)
    assert.equal((await (await ask('GET', `/Users/${id}`)).json()).active, false)
    assert.equal((await ask('DELETE', `/Users/${id}`)).status, 204)
    assert.equal((await ask('GET', `/Users/${id}`)).status, 404)
    assert.equal((await fetch(`${base}/Users`)).status, 401)
  })
}

test('the tester of scim2-cli finds nothing wrong with scim2-server', async (t) => {
  const { base, token } = await start(t, SCIM2_SERVER)
  const tester = spawn(SCIM2_CHECK, [base], { env: { ...process.env, SCIM_TOKEN: token } })
  const [said, [status]] = await Promise.all([text(tester.stdout), once(tester, 'exit')])
  const results = said.trim().split('\n').map((line) => JSON.parse(line))
  assert.deepEqual(results.filter((result) => result.status !== 'SUCCESS'), [])
  assert.equal(results.length, 135)
  assert.equal(status, 0)
})

async function start(t, program, options = []) {
  const peer = await startPeer(program, options)
  t.after(() => peer.stop())
  const { base, token } = JSON.parse(peer.readyLine)
  const ask = (method, path, body) =>
    fetch(base + path, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/scim+json' },
      body: body && JSON.stringify(body),
    })
  return { base, token, ask }
}
