/**
 * Milliseconds of a clock that never jumps: all intervals, time-outs and ages are measured with it, so that
 * setting the system's clock disturbs nothing. Its zero is the start of the process.
 */
export function monotonicMs(): number {
  return performance.now()
}

/**
 * Milliseconds since 1970 that go on evenly from when the system's clock was looked at: setting that one in between
 * changes nothing. For what counts periods of the time of day.
 */
export class SteadyClock {
  #offsetMs = 0

  constructor() {
    this.adjust()
  }

  /** Looks at the system's clock. */
  adjust(): void {
    this.#offsetMs = Date.now() - monotonicMs()
  }

  nowMs(): number {
    return Math.round(this.#offsetMs + monotonicMs())
  }
}
