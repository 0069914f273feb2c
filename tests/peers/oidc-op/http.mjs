// The few helpers that node:http lacks.
const BODY_LIMIT = 1024 * 1024

export async function readText(request) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    if (size > BODY_LIMIT) throw new Error('request body is too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

export async function readJson(request) {
  const text = await readText(request)
  return text === '' ? {} : JSON.parse(text)
}

export async function readForm(request) {
  return new URLSearchParams(await readText(request))
}

export function sendJson(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(value))
}

export function sendHtml(response, status, html) {
  response.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' })
  response.end(html)
}

// Holds back what a handler writes and sends what `change` makes of the whole text.
export function interceptBody(response, change) {
  const chunks = []
  const send = response.end.bind(response)
  response.write = (chunk) => chunks.push(Buffer.from(chunk)) > 0
  response.end = (chunk) => {
    if (chunk) chunks.push(Buffer.from(chunk))
    Promise.resolve(change(Buffer.concat(chunks).toString('utf8'))).then((text) => {
      response.removeHeader('content-length')
      send(text)
    })
    return response
  }
}

export function interceptLocation(response, change) {
  const setHeader = response.setHeader.bind(response)
  response.setHeader = (name, value) => setHeader(name, name.toLowerCase() === 'location' ? change(value) : value)
}
