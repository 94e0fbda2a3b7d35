import type { Socket } from 'node:net'

/** How long the last bytes may take to get out to a client that is being closed, in milliseconds. */
const farewellMs = 5000

/** What waits is still sent; but a client that does not read would hold the socket and all of that for ever. */
export function closeSoon(socket: Socket): void {
  socket.destroySoon()
  if (socket.destroyed) return
  const timer = setTimeout(() => socket.destroy(), farewellMs)
  socket.once('close', () => clearTimeout(timer))
}
