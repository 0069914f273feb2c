import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { POSTGRES, startPeer } from '../lib/peer.mjs'

const STOP = fileURLToPath(new URL('stop', import.meta.url))
const home = mkdtempSync(join(tmpdir(), 'jit-postgres-test-'))
after(() => rmSync(home, { recursive: true }))
const run = promisify(execFile)

test('a server with a lifeline answers, and leaves nothing behind', async () => {
  const dir = join(home, 'lifeline')
  const server = await startPeer(POSTGRES, ['--no-fsync', dir])
  const base = readFileSync(join(dir, 'base'), 'utf8').trim()
  const { stdout } = await run('psql', [server.readyLine, '--no-align', '--tuples-only', '--command', 'show fsync'])
  assert.equal(stdout.trim(), 'off')
  await server.stop()
  assert.ok(!(await listens(new URL(server.readyLine))))
  assert.ok(!existsSync(base))
})

test('a folder whose server was killed can be used again', async () => {
  const dir = join(home, 'killed')
  const killed = await startPeer(POSTGRES, ['--no-fsync', dir])
  process.kill(killed.pid, 'SIGKILL')
  await killed.stop()
  const again = await startPeer(POSTGRES, ['--no-fsync', dir])
  assert.ok(await listens(new URL(again.readyLine)))
  await again.stop()
})

test('a server without a lifeline outlives its starter until it is stopped', async () => {
  const dir = join(home, 'daemon')
  const { stdout } = await run(POSTGRES, [dir])
  const url = new URL(stdout.trim())
  assert.equal(url.hostname, '127.0.0.1')
  assert.ok(await listens(url))
  url.password = 'wrong'
  await assert.rejects(run('psql', [url.href, '--command', 'select 1']), /password authentication failed/)
  await assert.rejects(run(POSTGRES, [dir]), /started in this folder already/)
  await run(STOP, [dir])
  assert.ok(!(await listens(url)))
})

function listens(url) {
  return new Promise((resolve) => {
    const socket = connect({ host: url.hostname, port: Number(url.port) })
    socket.once('connect', () => resolve(socket.destroy() && true))
    socket.once('error', () => resolve(false))
  })
}
