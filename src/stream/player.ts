import type { Broadcast } from '../live/broadcast.ts'
import { Viewer, type ViewerSocket } from '../live/viewer.ts'
import type { Framing, PulledStream } from './pulled-stream.ts'

/** One play of a connection: a viewer of a stream's broadcast, or paused beside it. */
export class Player {
  readonly pulled: PulledStream
  readonly viewer: Viewer
  readonly #framing: Framing
  #broadcast: Broadcast | null = null

  constructor(pulled: PulledStream, framing: Framing, socket: ViewerSocket, onStalled: () => void) {
    this.pulled = pulled
    this.viewer = new Viewer(socket, onStalled)
    this.#framing = framing
  }

  get paused(): boolean {
    return this.#broadcast === null
  }

  /** Begins, or goes on after a pause: live, from the current GOP. */
  start(): void {
    this.#broadcast ??= this.pulled.join(this.#framing, this.viewer)
  }

  /** Pauses, or ends: the viewer gets nothing more. */
  stop(): void {
    if (this.#broadcast === null) return
    this.pulled.leave(this.#broadcast, this.viewer)
    this.#broadcast = null
  }

  onDrain(): void {
    this.#broadcast?.onDrain(this.viewer)
  }
}
