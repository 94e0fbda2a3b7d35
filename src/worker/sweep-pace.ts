/**
 * Tells a process that it was held up between two sweeps: stopped with its machine, or not given the processor. What
 * clients have sent meanwhile is not read by then, and whoever looks at their deadlines would take them for silent.
 */
export class SweepPace {
  readonly #periodMs: number
  #lastMs: number
  #wasHeldUp = false

  /** @param periodMs between two sweeps */
  constructor(periodMs: number, nowMs: number) {
    this.#periodMs = periodMs
    this.#lastMs = nowMs
  }

  /**
   * To be called with each sweep.
   * @returns whether deadlines are left to the next one; never twice in a row, so that they hold on a machine that is always late
   */
  isHeldUp(nowMs: number): boolean {
    const isLate = nowMs - this.#lastMs > 2 * this.#periodMs
    this.#lastMs = nowMs
    this.#wasHeldUp = isLate && !this.#wasHeldUp
    return this.#wasHeldUp
  }
}
