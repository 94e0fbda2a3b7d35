import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/** A TCP port of 127.0.0.1 that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return address.port
}

/**
 * Waits until a server accepts connections on a port of 127.0.0.1.
 * @param isGone tells that waiting is in vain
 * @throws Error when it is gone, or does not accept within `timeoutMs`
 */
export async function untilAccepts(port: number, isGone: () => boolean, timeoutMs: number): Promise<void> {
  const giveUpAt = performance.now() + timeoutMs
  while (!(await accepts(port))) {
    if (isGone()) throw new Error('the server ended while it started')
    if (performance.now() > giveUpAt) throw new Error(`the server does not accept within ${timeoutMs} ms`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const settle = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}
