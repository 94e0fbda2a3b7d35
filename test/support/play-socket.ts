import type { ViewerSocket } from '../../src/live/viewer.ts'
import { ChunkReader } from '../../src/rtmp/chunk-reader.ts'
import type { RtmpMessage } from '../../src/rtmp/message.ts'

/** A player's socket, and the RTMP messages that were written to it. */
export class PlaySocket implements ViewerSocket {
  readonly written: Buffer[] = []
  readonly #messages: RtmpMessage[] = []
  readonly #reader = new ChunkReader(
    { maxMessageSize: 1_000_000, maxPartialBytes: 1_000_000, maxChunkStreams: 64 },
    (message) => this.#messages.push(message),
  )
  writableNeedDrain = false

  write(bytes: Buffer): boolean {
    this.written.push(bytes)
    this.#reader.push(bytes)
    return !this.writableNeedDrain
  }

  /** The messages since the last call. */
  take(): RtmpMessage[] {
    return this.#messages.splice(0)
  }

  /** Their bodies, as text. */
  takeMarks(): string[] {
    return this.take().map(({ body }) => body.toString())
  }
}
