// The control API, JSON over HTTP under /_ctl/ on the provider's own port.
import { readJson, sendJson } from './http.mjs'
import { storeClient } from './provider.mjs'

export async function control(server, request, response, path) {
  const command = COMMANDS[path.slice('/_ctl/'.length)]
  if (!command) return sendJson(response, 404, { error: 'unknown command' })
  const body = request.method === 'POST' ? await readJson(request) : {}
  return sendJson(response, 200, (await command(server, body)) ?? {})
}

const COMMANDS = {
  stats: (server) => server.stats,
  reset: (server) => {
    server.stats = {}
    server.rotation = null
    server.faults.clear()
    server.tampering.clear()
  },
  users: (server, people) => server.people.upsert(people),
  delete: (server, { sub }) => server.people.remove(sub),
  clients: (_server, metadata) => storeClient(metadata),
  rotate: async (server, order) => {
    if (order.mode === 'before_token') server.rotation = { ...order, mode: 'replace' }
    else return { kid: await server.rotate(order) }
  },
  tamper: (server, order) => server.tampering.order(order),
  fault: (server, fault) => server.faults.add(fault),
}
