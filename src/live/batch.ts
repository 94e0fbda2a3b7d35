import { noteBuffer } from '../base/external-memory.ts'
import type { Packet } from '../media/packet.ts'

/**
 * A piece of a stream as it goes over the wire: what arrived between two flushes, encoded once. The same
 * bytes are written to every player. Batches form a linked list; a player that is behind holds the one it
 * needs next, and a batch that nobody holds any more is the garbage collector's.
 */
export interface Batch {
  readonly bytes: Buffer
  /** Whether a player can begin here: it starts with a key frame, or the stream has no video. */
  readonly joinable: boolean
  /** Stream time of its first packet, in milliseconds. */
  readonly timestamp: number
  /** Counts up by one with each batch of a broadcast. */
  readonly sequence: number
  /** Bytes of all batches of the broadcast before this one. */
  readonly position: number
  /** Metadata and sequence headers in force before it: who begins here needs them first. */
  readonly headers: readonly Packet[]
  /** {@link headers} encoded, from the time when somebody began here. */
  headerBytes: Buffer | null
  next: Batch | null
}

/** What a buffer has at least, once it is used. */
const minBytes = 4 * 1024

/** Room that a burst made larger than this (a cached GOP comes at once) is given back after the burst. */
const maxIdleBytes = 256 * 1024

/** Room for the packets of the next batch, kept from flush to flush. */
export class BatchBuffer {
  /** Nothing until the first packet: a stream that people only ask for costs next to nothing. */
  #bytes = Buffer.alloc(0)
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Bytes of memory it holds. */
  get capacity(): number {
    return this.#bytes.length
  }

  /** Makes room for `size` bytes more and returns the buffer to write to, from {@link length} on. */
  reserve(size: number): Buffer {
    const needed = this.#length + size
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#bytes.length * 2, minBytes))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    return this.#bytes
  }

  /** Says how far the buffer was written. */
  advance(end: number): void {
    this.#length = end
  }

  /** What was written, in memory of its own; the buffer is empty afterwards. */
  take(): Buffer {
    const taken = Buffer.allocUnsafeSlow(this.#length)
    noteBuffer(this.#length)
    this.#bytes.copy(taken, 0, 0, this.#length)
    this.#length = 0
    if (this.#bytes.length > maxIdleBytes) this.#bytes = Buffer.alloc(0)
    return taken
  }
}
