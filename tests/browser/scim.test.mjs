// A person in front of a real browser, whose account a directory drives over SCIM: one account, whichever came first, and
// no session once the directory says that they have left.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { FILES, asks, change, directory, group, user } from './lib/directory.mjs'
import { signIn, startWorld } from './lib/example.mjs'

const EMAIL = `
[connection.mapping.email]
claim = "/emails/0/value"
verified = "own_domains"
`
const SETTINGS = {
  connection: 'policy = { rule = [{ name = "everybody", permit = {} }] }',
  more: directory({ mapping: EMAIL }),
  files: FILES,
}
let world

before(async () => (world = await startWorld()))
after(() => world?.stop())

async function house(t) {
  const { portal, comes } = await world.house(t, SETTINGS)
  return { portal, one: await comes(), hr: asks(portal) }
}

const alice = user('alice.example', {
  externalId: 'alice', displayName: 'Alice of HR',
  emails: [{ value: 'alice@example.com', type: 'work', primary: true }],
})
const active = (value) => change('active', value)

test('whom a directory made signs in to that account, and is out when it says so', async (t) => {
  const { portal, one, hr } = await house(t)
  const { id } = await hr('POST', '/Users', alice)
  await hr('POST', '/Groups', group('Operators', [id]))
  await signIn(one, portal, 'alice')
  assert.match(await one.heading(), /Alice of HR\s+active/)
  assert.match(await one.section('Grants'), /role:operator/)
  await one.picture('scim-signed-in')

  await hr('PATCH', `/Users/${id}`, active(false))
  await one.page.reload()
  assert.match(await one.heading(), /Sign in/, 'the session is over')
  await signIn(one, portal, 'alice')
  assert.match(await one.page.innerText('main'), /account\.left|account\.disabled/)
  await one.picture('scim-deactivated')

  await hr('PATCH', `/Users/${id}`, active(true))
  await signIn(one, portal, 'alice')
  assert.match(await one.heading(), /Alice of HR\s+active/)
  await hr('DELETE', `/Users/${id}`)
  await one.page.reload()
  assert.match(await one.heading(), /Sign in/, 'the session is over')
  await signIn(one, portal, 'alice')
  assert.match(await one.page.innerText('main'), /account\.ended/)
})

test('who signed in before the directory told of them keeps one account', async (t) => {
  const { portal, one, hr } = await house(t)
  await signIn(one, portal, 'alice')
  assert.match(await one.heading(), /active/)
  const before = await one.page.innerText('main')
  await hr('POST', '/Users', alice)
  await one.page.reload()
  assert.match(await one.heading(), /Alice of HR\s+active/, 'the session goes on, with what the directory says')
  const number = /[0-9a-f]{8}-[0-9a-f-]{27}/
  assert.equal((await one.page.innerText('main')).match(number)?.[0], before.match(number)?.[0])
})
