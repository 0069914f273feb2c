// A scripted OpenID provider for tests, on loopback only. See README.md.
import { endWithParent } from '../lib/lifeline.mjs'
import { readOptions } from './options.mjs'
import { Server } from './server.mjs'

const options = readOptions(process.argv.slice(2))
if (options.lifeline) endWithParent()
const server = await Server.start(options)
console.log(JSON.stringify({ ready: true, issuer: server.issuer, pid: process.pid, kids: server.keys.ids }))
