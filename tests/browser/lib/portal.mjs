// Starts the portal from a test. Each has a data directory of its own and ends with its test.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const READY = /^portal: ready at (http:\/\/127\.0\.0\.1:\d+)$/

// The program under test: the one that was named, or the one that was built last.
function program(name = 'portal') {
  if (process.env.PORTAL) return join(dirname(process.env.PORTAL), name)
  const target = process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target')
  const built = ['debug', 'release'].map((profile) => join(target, profile, name)).filter(existsSync)
  if (built.length === 0) throw new Error(`build it first: cargo build -p jit-examples --bin ${name}`)
  return built.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0]
}

export async function startDemo(data) {
  const folder = data ?? (await mkdtemp(join(tmpdir(), 'portal-')))
  return start(folder, ['--demo', '--addr', '127.0.0.1:0', '--data', folder], data === undefined)
}

// `files` lie beside the configuration; they may be secrets.
export async function startConfigured(text, files = {}) {
  const folder = await folderWith(text)
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content, { mode: 0o600 })
  return start(folder, ['--config', join(folder, 'portal.toml')], true)
}

// Starts the portal with a configuration that it should not accept, and tells how it ended and what it said.
export async function refusedConfiguration(text) {
  const folder = await folderWith(text)
  const child = spawn(program(), ['--config', 'portal.toml'], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  let complaints = ''
  child.stderr.on('data', (text) => (complaints += text))
  const [code] = await once(child, 'close')
  await rm(folder, { recursive: true, force: true })
  return { code, complaints }
}

// Runs `checkout` in the folder of a portal, and gives the lines of its answer.
export async function checkout(portal, ...words) {
  const args = ['--config', 'checkout.toml', '--json', ...words]
  const { stdout } = await promisify(execFile)(program('checkout'), args, { cwd: portal.folder })
  return stdout.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line))
}

// A port that was free a moment ago: the address of a portal stands in its configuration and at its provider.
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

// Starts anew, with another port, where somebody else took the port before the portal did.
export async function startSomewhere(start, attempts = 5) {
  for (;;) {
    try {
      return await start()
    } catch (error) {
      attempts -= 1
      if (attempts === 0 || !/address (already )?in use/i.test(error.message)) throw error
    }
  }
}

async function folderWith(text) {
  const folder = await mkdtemp(join(tmpdir(), 'portal-'))
  await writeFile(join(folder, 'portal.toml'), text, { mode: 0o600 })
  return folder
}

async function start(folder, args, ownsFolder) {
  const child = spawn(program(), args, { stdio: ['ignore', 'pipe', 'pipe'] })
  let complaints = ''
  child.stderr.on('data', (text) => (complaints += text))
  const [exited, closed] = [once(child, 'exit'), once(child, 'close')]
  const url = await Promise.race([readyUrl(child.stdout), exited.then(() => undefined)])
  if (!url) {
    // Only then is everything read that it complained of.
    await closed
    if (ownsFolder) await rm(folder, { recursive: true, force: true })
    throw new Error(`the portal did not start: ${complaints}`)
  }
  return new Portal(child, exited, url, folder, ownsFolder)
}

async function readyUrl(stdout) {
  for await (const line of createInterface(stdout)) {
    const found = READY.exec(line)
    if (found) return found[1]
  }
}

class Portal {
  constructor(child, exited, url, folder, ownsFolder) {
    Object.assign(this, { child, exited, url, folder, ownsFolder })
  }

  // Asks it to end as a service manager would, and tells with which code it did.
  async stop() {
    this.child.kill('SIGTERM')
    const [code] = await this.exited
    if (this.ownsFolder) await rm(this.folder, { recursive: true, force: true })
    return code
  }
}
