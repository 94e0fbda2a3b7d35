/** After how long an outage that goes on is told again, in milliseconds. */
const reminderMs = 10 * 60_000

/** Says which of the failures in a row are worth a line of the log: the first one, then one in ten minutes. */
export class Outage {
  #failures = 0
  #toldAtMs = 0

  /** Failures since the last success. */
  get failures(): number {
    return this.#failures
  }

  /** @returns whether this failure is to be told */
  fail(nowMs: number): boolean {
    this.#failures += 1
    if (this.#failures > 1 && nowMs - this.#toldAtMs < reminderMs) return false
    this.#toldAtMs = nowMs
    return true
  }

  /** @returns how many failures there were; 0: none, there is nothing to tell */
  end(): number {
    const failures = this.#failures
    this.#failures = 0
    return failures
  }
}
