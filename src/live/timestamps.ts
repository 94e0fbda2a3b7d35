import { timestampDelta } from '../media/timestamp-delta.ts'

export { timestampDelta }

/** How a stream's timestamps are corrected (`time_jitter`). */
export type TimeJitter = 'full' | 'zero' | 'off'

/** The time given to a frame whose own time cannot be trusted: one frame at 25 per second. */
export const defaultFrameMs = 40

/** A step beyond this, either way, is a jump of the encoder's clock and not the stream's time. */
const maxStepMs = 500

/**
 * Corrects the timestamps of one stream, once, at its source.
 *
 * - `full`: the stream starts at 0 and never goes back. A step of more than 500 ms becomes 40 ms. A step back
 *   of less is audio and video that an encoder interleaved loosely: it is held at the latest time rather than
 *   counted as 40 ms forward, which would make such a stream's clock run away.
 * - `zero`: the stream starts at 0, otherwise as sent.
 * - `off`: as sent (and what `atc` uses).
 */
export class TimestampCorrector {
  #mode: TimeJitter
  /** The last timestamp as sent by the publisher; -1: none yet. */
  #lastIn = -1
  /** The stream's time at the newest packet, counted on beyond 32 bits. */
  #lastOut = 0
  /** What the stream's time is at `#lastIn`; below `#lastOut` while a late packet is held. */
  #position = 0
  #started = false

  constructor(mode: TimeJitter) {
    this.#mode = mode
  }

  get mode(): TimeJitter {
    return this.#mode
  }

  set mode(mode: TimeJitter) {
    this.#mode = mode
  }

  /** The stream's time at its newest packet, in milliseconds modulo 2^32. */
  get current(): number {
    return this.#lastOut >>> 0
  }

  /** A new publisher takes over: its first packet follows the last one by 40 ms, whatever its clock says. */
  restart(): void {
    this.#lastIn = -1
  }

  /** @returns the corrected timestamp of an audio or video packet, in milliseconds modulo 2^32 */
  correct(timestamp: number): number {
    if (this.#mode === 'off') {
      this.#lastIn = timestamp
      this.#lastOut = timestamp
      this.#position = timestamp
      this.#started = true
      return timestamp
    }
    this.#position = this.#next(timestamp)
    this.#lastIn = timestamp
    const isHeld = this.#mode === 'full' && this.#position < this.#lastOut
    if (!isHeld) this.#lastOut = this.#position
    return this.current
  }

  #next(timestamp: number): number {
    if (this.#lastIn < 0) {
      if (this.#started) return this.#lastOut + defaultFrameMs
      this.#started = true
      return 0
    }
    const step = timestampDelta(timestamp, this.#lastIn)
    if (this.#mode === 'zero') return Math.max(0, this.#position + step)
    if (step > maxStepMs || step < -maxStepMs) return this.#lastOut + defaultFrameMs
    return this.#position + step
  }
}
