import type { Socket } from 'node:net'
import { monotonicMs } from '../base/clock.ts'

/** What has come and gone over a connection, for its log lines. */
export class Progress {
  readonly #socket: Socket
  readonly #beganAtMs = monotonicMs()
  /** What the last line of the periodic summary told. */
  #reported = { atMs: this.#beganAtMs, bytesIn: 0, bytesOut: 0 }

  constructor(socket: Socket) {
    this.#socket = socket
  }

  totals() {
    return {
      bytesIn: this.#socket.bytesRead,
      bytesOut: this.#socket.bytesWritten,
      seconds: Math.round((monotonicMs() - this.#beganAtMs) / 1000),
    }
  }

  /** The totals, and the rates since the last time. */
  sinceLast() {
    const totals = this.totals()
    const nowMs = monotonicMs()
    const kbpsOf = (bytes: number): number => Math.round((8 * bytes) / (nowMs - this.#reported.atMs))
    const { bytesIn, bytesOut } = this.#reported
    const kbpsIn = kbpsOf(totals.bytesIn - bytesIn)
    const kbpsOut = kbpsOf(totals.bytesOut - bytesOut)
    this.#reported = { atMs: nowMs, ...totals }
    return { ...totals, kbpsIn, kbpsOut }
  }
}
