import type { Batch } from './batch.ts'

/**
 * Bytes the socket may hold back before the client counts as behind. Well above a flush of an ordinary stream: a write
 * below it that the kernel takes at once costs no drain event.
 */
export const socketHighWaterMark = 256 * 1024

/** What a broadcast needs of a player's socket; a `net.Socket` is one. */
export interface ViewerSocket {
  write(bytes: Buffer): boolean
  readonly writableNeedDrain: boolean
}

/**
 * Where one player is in a broadcast. A viewer is *in step* when it has all batches there are; then a flush
 * costs it one write and no memory. When its socket does not drain it falls behind: it keeps only a reference
 * to the batch it needs next.
 */
export class Viewer {
  readonly socket: ViewerSocket
  /** Called once, when the viewer made no progress for the stall time; it has left the broadcast then. */
  readonly onStalled: () => void
  /** Place in the broadcast's list of viewers in step; -1: not in it. */
  index = -1
  /** The batch to write when the socket drains; null: none yet. */
  next: Batch | null = null
  /** Waits for a batch that a player can begin with: it has just joined, or it lost a part of the stream. */
  waiting = false
  /** It begins at {@link next}: the headers in force there go first. */
  needsHeaders = false
  /** Sequence of the last batch written; -1: none. */
  sent = -1
  /** Monotonic time of the last progress while behind, in milliseconds. */
  progressAt = 0
  /** Batches it lost because it was too slow. */
  dropped = 0

  constructor(socket: ViewerSocket, onStalled: () => void) {
    this.socket = socket
    this.onStalled = onStalled
  }
}
