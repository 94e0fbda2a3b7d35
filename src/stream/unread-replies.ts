import type { Socket } from 'node:net'
import { monotonicMs } from '../base/clock.ts'
import { WeirError } from '../base/errors.ts'

/** Replies that may wait for a peer that does not read them; beyond it nothing more is read from the peer. */
const maxUnreadBytes = 64 * 1024

/** A peer that leaves its replies unread for this long is closed. */
const graceMs = 10_000

const nothing = Buffer.alloc(0)

/** The replies to one peer, which it may ask for faster than it reads them. */
export class UnreadReplies {
  readonly #socket: Socket
  readonly #onRead: () => void
  #bytes = 0
  /** Since when the peer leaves too many unread; 0: it reads. */
  #floodedAtMs = 0

  /** @param onRead it has read what was too much */
  constructor(socket: Socket, onRead: () => void) {
    this.#socket = socket
    this.#onRead = onRead
  }

  /** Whether nothing more is to be read from the peer. */
  get tooMany(): boolean {
    return this.#floodedAtMs > 0
  }

  write(bytes: Buffer): void {
    this.#socket.write(bytes)
    this.#bytes = this.#socket.writableLength === 0 ? 0 : this.#bytes + bytes.length
    if (this.#bytes <= maxUnreadBytes || this.tooMany) return
    this.#floodedAtMs = monotonicMs()
    // Called back when the kernel has taken everything that was queued before.
    this.#socket.write(nothing, () => {
      this.#floodedAtMs = 0
      this.#bytes = 0
      this.#onRead()
    })
  }

  /** @returns why the peer is to be closed, or null */
  overdue(nowMs: number): WeirError | null {
    if (!this.tooMany || nowMs - this.#floodedAtMs <= graceMs) return null
    return new WeirError('RTMP_FLOOD', `replies are unread for ${graceMs} ms`)
  }
}
