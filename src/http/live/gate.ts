import type { ViewerSocket } from '../../live/viewer.ts'

/**
 * The socket of a viewer that has joined a broadcast and is not yet answered. While the gate is closed it counts as
 * full, so that the broadcast keeps the viewer's place: a viewer that waits for its stream misses nothing of it.
 */
export class Gate implements ViewerSocket {
  readonly #socket: ViewerSocket
  #isOpen = false

  constructor(socket: ViewerSocket) {
    this.#socket = socket
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** The broadcast is to be told that its viewer has drained. */
  open(): void {
    this.#isOpen = true
  }

  get writableNeedDrain(): boolean {
    return !this.#isOpen || this.#socket.writableNeedDrain
  }

  write(bytes: Buffer): boolean {
    return this.#socket.write(bytes)
  }
}
