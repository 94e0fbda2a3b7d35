import { connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/**
 * A TCP proxy that can stop to forward without closing anything: what a peer sees of a network that is cut. What is on its
 * way then is lost to it.
 */
export class TcpProxy {
  readonly port: number
  readonly #sockets: Set<Socket>
  readonly #state: { frozen: boolean }

  static async start(targetPort: number): Promise<TcpProxy> {
    const sockets = new Set<Socket>()
    const state = { frozen: false }
    const server = createServer((client) => {
      const target = connect(targetPort, '127.0.0.1')
      for (const [from, to] of [
        [client, target],
        [target, client],
      ] as const) {
        sockets.add(from)
        from.on('data', (bytes) => state.frozen || to.write(bytes))
        // The other side learns of it by the close.
        from.on('error', () => {})
        from.on('close', () => {
          sockets.delete(from)
          if (!state.frozen) to.destroy()
        })
      }
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    const address = server.address()
    return new TcpProxy(typeof address === 'object' ? (address?.port ?? 0) : 0, sockets, state)
  }

  private constructor(port: number, sockets: Set<Socket>, state: { frozen: boolean }) {
    this.port = port
    this.#sockets = sockets
    this.#state = state
  }

  /** Nothing gets through any more; connections are accepted, as by a kernel whose packets get lost further on. */
  freeze(): void {
    this.#state.frozen = true
  }

  /** New connections get through; those of before are gone. */
  thaw(): void {
    this.#state.frozen = false
    for (const socket of this.#sockets) socket.destroy()
  }
}
