import type { ViewerSocket } from '../../live/viewer.ts'

/**
 * The socket of a viewer that has joined a broadcast and is not yet answered. While the gate is closed it counts as
 * full, so that the broadcast keeps the viewer's place: a viewer that waits for its stream misses nothing of it.
 */
export class Gate implements ViewerSocket {
  #socket: ViewerSocket | null = null

  get isOpen(): boolean {
    return this.#socket !== null
  }

  /** The broadcast is to be told that its viewer has drained. */
  open(socket: ViewerSocket): void {
    this.#socket = socket
  }

  get writableNeedDrain(): boolean {
    return this.#socket === null || this.#socket.writableNeedDrain
  }

  write(bytes: Buffer): boolean {
    return this.#socket?.write(bytes) ?? false
  }
}
