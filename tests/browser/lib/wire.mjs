// A wire to a server on this machine that a test can cut and mend.
import { once } from 'node:events'
import net from 'node:net'

export class Wire {
  #server
  #sockets = new Set()
  #whole = true

  static async to(port) {
    const wire = new Wire()
    wire.#server = net.createServer((near) => wire.#join(near, port))
    await once(wire.#server.listen(0, '127.0.0.1'), 'listening')
    return wire
  }

  get port() {
    return this.#server.address().port
  }

  // Whoever is connected loses the connection, and whoever connects is turned away.
  cut() {
    this.#whole = false
    for (const socket of this.#sockets) socket.destroy()
  }

  mend() {
    this.#whole = true
  }

  async end() {
    this.cut()
    await new Promise((ended) => this.#server.close(ended))
  }

  #join(near, port) {
    if (!this.#whole) return near.destroy()
    const far = net.connect(port, '127.0.0.1')
    for (const [socket, other] of [[near, far], [far, near]]) {
      this.#sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        this.#sockets.delete(socket)
        other.destroy()
      })
    }
    near.pipe(far)
    far.pipe(near)
  }
}
