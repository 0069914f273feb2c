// The command line: long options, each with a value, and switches.
import { parseArgs } from 'node:util'
import { fileURLToPath } from 'node:url'

const OPTIONS = {
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: '4455' },
  issuer: { type: 'string' },
  users: { type: 'string', default: fileURLToPath(new URL('people.json', import.meta.url)) },
  keys: { type: 'string' },
  'stdin-lifeline': { type: 'boolean', default: false },
  debug: { type: 'boolean', default: false },
}

export function readOptions(args) {
  const { values } = parseArgs({ args, options: OPTIONS })
  const port = Number(values.port)
  if (!Number.isInteger(port) || port < 0 || port > 65535) throw new Error('--port needs a number from 0 to 65535')
  if (!['127.0.0.1', 'localhost', '::1'].includes(values.host)) throw new Error('--host must be a loopback address')
  return { ...values, port, lifeline: values['stdin-lifeline'] }
}
