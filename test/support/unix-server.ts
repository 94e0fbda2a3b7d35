import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** Listens on a Unix socket until the test has finished; each connection goes to `onSocket`. */
export async function listenUnix(path: string, onSocket: (socket: Socket) => void): Promise<void> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    onSocket(socket)
  })
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  await new Promise<void>((resolve) => {
    server.listen(path, resolve)
  })
}
