import { Socket, type SocketConstructorOpts } from 'node:net'

/**
 * One buffer for the reads of all adopted sockets of this process: a read's callback runs before the next read
 * begins, and whatever is kept is copied out.
 */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)

/** The part of a socket that Node keeps to itself: what reads and writes below it. */
interface HandleOwner {
  _handle: object | null
}

/**
 * Reads an accepted connection into the process's one read buffer instead of 64 kB of new memory a read. Node offers
 * that (`onread`) only where a socket is made, and makes those of a server itself: so the connection moves to a
 * socket of our own. That costs a read a fifth less, leaves nothing to collect, and makes pausing exact: while the
 * socket is paused, nothing is read from the kernel, and nothing is held by Node. A TLS socket decrypts into memory of
 * its own, and stays as it is.
 * @param accepted of a server with `pauseOnConnect`; dead afterwards
 * @param onBytes a view that is valid during the call only
 * @returns the socket to use
 */
export function adoptSocket(
  accepted: Socket,
  highWaterMark: number,
  onBytes: (bytes: Buffer) => void,
): Socket {
  if ('encrypted' in accepted) {
    accepted.on('data', onBytes)
    accepted.resume()
    return accepted
  }
  const owner = accepted as unknown as HandleOwner
  const handle = owner._handle
  if (handle === null || handle === undefined) {
    // It broke before it was ours: it still has to say so.
    accepted.on('data', onBytes)
    return accepted
  }
  owner._handle = null
  const socket = new Socket({
    handle,
    highWaterMark,
    onread: {
      buffer: readBuffer,
      callback: (size: number, buffer: Uint8Array) => {
        onBytes((buffer as Buffer).subarray(0, size))
        return true
      },
    },
  } as SocketConstructorOpts)
  // Data goes to the callback; without this the end of the stream would never be told.
  socket.resume()
  return socket
}
