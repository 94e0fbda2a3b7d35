import { monotonicMs } from '../base/clock.ts'

/** Somebody who reads from an encoder. */
export interface Reader {
  /** The rest is over: reads what has come meanwhile, and on. */
  readOn(): void
}

/**
 * Lets encoders' sockets rest between two reads (merged reads). All that rest for the same time read on together, so
 * that what they bring leaves for each back-source at once: one wake-up for many streams.
 */
export class ReadClock {
  readonly #resting = new Map<number, Reader[]>()

  /**
   * Has the reader read on at the next tick.
   * @param intervalMs time between two ticks, in whole milliseconds; all ticks of one interval coincide
   */
  rest(reader: Reader, intervalMs: number): void {
    const others = this.#resting.get(intervalMs)
    if (others !== undefined) {
      others.push(reader)
      return
    }
    this.#resting.set(intervalMs, [reader])
    setTimeout(() => this.#tick(intervalMs), intervalMs - (monotonicMs() % intervalMs))
  }

  #tick(intervalMs: number): void {
    const readers = this.#resting.get(intervalMs) ?? []
    this.#resting.delete(intervalMs)
    for (const reader of readers) reader.readOn()
  }
}
