import type { Broadcast } from '../live/broadcast.ts'
import { Viewer, type ViewerSocket } from '../live/viewer.ts'
import type { PulledStream, StreamFormat } from '../pull/pulled-stream.ts'

/** One play of a connection: a viewer of a stream's broadcast, or paused beside it. */
export class Player {
  readonly viewer: Viewer
  readonly #find: () => PulledStream
  readonly #format: StreamFormat
  #pulled: PulledStream
  #broadcast: Broadcast | null = null

  /** @param find the stream; asked again after a pause: one without players is let go meanwhile */
  constructor(find: () => PulledStream, format: StreamFormat, socket: ViewerSocket, onStalled: () => void) {
    this.viewer = new Viewer(socket, onStalled)
    this.#find = find
    this.#format = format
    this.#pulled = find()
  }

  get pulled(): PulledStream {
    return this.#pulled
  }

  get paused(): boolean {
    return this.#broadcast === null
  }

  /** Begins, or goes on after a pause: live, from the current GOP. */
  start(): void {
    if (this.#broadcast !== null) return
    this.#pulled = this.#find()
    this.#broadcast = this.#pulled.join(this.#format, this.viewer)
  }

  /** Pauses, or ends: the viewer gets nothing more. */
  stop(): void {
    if (this.#broadcast === null) return
    this.#pulled.leave(this.#broadcast, this.viewer)
    this.#broadcast = null
  }

  onDrain(): void {
    this.#broadcast?.onDrain(this.viewer)
  }
}
