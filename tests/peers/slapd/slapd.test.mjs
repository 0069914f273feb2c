import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { connect } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { SAMBA, SLAPD, startPeer } from '../lib/peer.mjs'

const home = mkdtempSync(join(tmpdir(), 'jit-directories-'))
after(() => rmSync(home, { recursive: true, force: true }))
const run = promisify(execFile)

for (const [name, start] of [['slapd', SLAPD], ['samba', SAMBA]]) {
  const stop = fileURLToPath(new URL(`../${name}/stop`, import.meta.url))

  test(`${name} ends with its lifeline`, async () => {
    const peer = await startPeer(start, [join(home, `${name}-lifeline`)])
    const said = JSON.parse(peer.readyLine)
    assert.ok(await answers(said))
    await peer.stop()
    assert.ok(!(await answers(said)))
  })

  test(`${name} outlives its starter until it is stopped, and starts again in the same folder`, async () => {
    const dir = join(home, `${name}-daemon`)
    for (const _turn of [1, 2]) {
      const said = JSON.parse((await run(start, [dir])).stdout)
      assert.ok(await answers(said))
      await assert.rejects(run(start, [dir]), /started in this folder already/)
      await run(stop, [dir])
      assert.ok(!(await answers(said)))
    }
  })
}

test('slapd proves itself by ECDSA, and by RSA where it is asked to', async () => {
  for (const [flags, bits] of [[[], 256], [['--rsa'], 2048]]) {
    const peer = await startPeer(SLAPD, [...flags, join(home, `slapd-${bits}`)])
    assert.equal((await certificate(JSON.parse(peer.readyLine)))?.bits, bits)
    await peer.stop()
  }
})

// Whether a server with the right certificate is there.
async function answers(said) {
  return Boolean(await certificate(said))
}

// What the server proved itself by; nothing where it is not there, or proved nothing.
function certificate({ host, ldaps, ca }) {
  let authority
  try {
    authority = readFileSync(ca)
  } catch {
    return undefined
  }
  return new Promise((resolve) => {
    const socket = connect({ host, port: ldaps, ca: authority, servername: /^\d/.test(host) ? '' : host })
    socket.once('secureConnect', () => {
      resolve(socket.getPeerCertificate())
      socket.destroy()
    })
    socket.once('error', () => resolve(undefined))
  })
}
