/** The difference a - b of two timestamps that count modulo 2^31 (RTMP's timestamps are 31-bit in practice). */
export function timestampDelta(a: number, b: number): number {
  const delta = (a - b) & 0x7fffffff
  return delta >= 0x40000000 ? delta - 0x80000000 : delta
}

/** Timestamps that wrap at 2^31 or 2^32, counted on beyond that: for whoever needs the time that has passed. */
export class UnwrappedTime {
  #last: number | null = null
  #timeMs = 0

  /**
   * @param timestamp milliseconds, 0 .. 2^32-1; less than 12 days from the last one
   * @returns milliseconds; the first time is the timestamp itself
   */
  next(timestamp: number): number {
    this.#timeMs = this.#last === null ? timestamp : this.#timeMs + timestampDelta(timestamp, this.#last)
    this.#last = timestamp
    return this.#timeMs
  }
}
