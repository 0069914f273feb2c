// SCIMMY as a peer: users and groups in memory, on loopback, under Express 4.
//
//     main.mjs [--port N] [--people N] [--stdin-lifeline]
//
// N = 0 (the default) picks a free port. Prints one line of JSON when it listens:
// {"ready": true, "base": "http://127.0.0.1:N/v2", "token": …, "pid": …, "ids": […]}.
// With --people it begins with so many users, `person-0@example.com` and so on; `ids` are those of the first hundred.
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'

import express from 'express'
import SCIMMY from 'scimmy'
import SCIMMYRouters from 'scimmy-routers'

import { endWithParent } from '../lib/lifeline.mjs'
import { Collection, person } from './collection.mjs'

const { values: options } = parseArgs({
  options: {
    port: { type: 'string', default: '0' },
    people: { type: 'string', default: '0' },
    'stdin-lifeline': { type: 'boolean', default: false },
  },
})
if (options['stdin-lifeline']) endWithParent()

const users = new Collection('userName')
const groups = new Collection('displayName')
const ids = []
for (let number = 0; number < Number(options.people); number += 1) {
  const { id } = users.write(undefined, person(number))
  if (ids.length < 100) ids.push(id)
}

SCIMMY.Resources.declare(SCIMMY.Resources.User.extend(SCIMMY.Schemas.EnterpriseUser, false), users.handlers())
SCIMMY.Resources.declare(SCIMMY.Resources.Group, groups.handlers())
SCIMMY.Config.set({ patch: true, filter: { supported: true, maxResults: 200 } })

const token = randomBytes(24).toString('base64url')
const app = express()
const handler = (request) => {
  if (request.header('authorization') !== `Bearer ${token}`) throw new Error('the token is not known')
}
app.use('/v2', new SCIMMYRouters({ type: 'bearer', handler }))
const server = app.listen(Number(options.port), '127.0.0.1', () => {
  const base = `http://127.0.0.1:${server.address().port}/v2`
  console.log(JSON.stringify({ ready: true, base, token, pid: process.pid, ids }))
})
