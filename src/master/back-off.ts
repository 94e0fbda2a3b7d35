const firstMs = 100
const maxMs = 30_000

/** A process that lived this long is not in a crash loop. */
const healthyMs = 10_000

/**
 * When to start a process again that ended by itself: at once after a long life, else later and later, so that
 * one which dies at boot does not eat the machine.
 */
export class BackOff {
  #failures = 0

  /**
   * @param livedMs how long the process lived
   * @returns milliseconds to wait before the next one is started
   */
  next(livedMs: number): number {
    if (livedMs >= healthyMs) {
      this.#failures = 0
      return 0
    }
    this.#failures += 1
    return this.#failures === 1 ? 0 : Math.min(maxMs, firstMs * 2 ** (this.#failures - 2))
  }
}
