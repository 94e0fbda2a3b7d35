import { createServer, type Server } from 'node:net'
import { listeningUnixSockets, ownerOf } from './proc-sockets.ts'

/**
 * A lock that a process holds until it releases it or dies, however it dies: a Unix socket in Linux's abstract
 * namespace (unix(7)), which no two processes can have and which leaves no file behind. Nothing is said on it.
 */
export class NameLock {
  readonly #server: Server

  /**
   * @param name at most 100 bytes; all processes of the machine (of the network namespace, to be exact) share them
   * @returns null when another process holds it
   */
  static acquire(name: string): Promise<NameLock | null> {
    const server = createServer((socket) => socket.destroy())
    return new Promise((resolve, reject) => {
      // Later on, somebody connected who cannot be accepted (no file descriptors): he would get nothing anyway.
      server.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code === 'EADDRINUSE') resolve(null)
        else reject(error)
      })
      server.listen({ path: `\0${name}` }, () => {
        // To hold it is no reason to stay alive.
        server.unref()
        resolve(new NameLock(server))
      })
    })
  }

  private constructor(server: Server) {
    this.#server = server
  }

  /** The name is free when this resolves. */
  release(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}

/** Who holds a lock; its `pid` is null when that is another user's process. */
export interface LockHolder {
  readonly pid: number | null
}

/** @returns null when nobody holds the lock */
export function holderOfLock(name: string): LockHolder | null {
  const socket = listeningUnixSockets().find(({ path }) => path === `@${name}`)
  return socket === undefined ? null : { pid: ownerOf(socket.inode) }
}
