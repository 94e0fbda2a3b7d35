import { monotonicMs } from './clock.ts'

const firstMs = 100
const maxMs = 30_000

/** A process that lived this long is not in a crash loop. */
const healthyMs = 10_000

/** A failure is past when the next one comes so long after it: in a crash loop they are 40 s apart at most. */
const forgetMs = 60_000

/**
 * When to start a process again that ended by itself: at once after a long life, else later and later, so that
 * one which dies at boot does not eat the machine.
 */
export class BackOff {
  #failures = 0
  #failedAtMs = Number.NEGATIVE_INFINITY

  /**
   * @param livedMs how long the process lived
   * @param nowMs monotonic time
   * @returns milliseconds to wait before the next one is started
   */
  next(livedMs: number, nowMs = monotonicMs()): number {
    if (nowMs - this.#failedAtMs > forgetMs) this.#failures = 0
    this.#failedAtMs = nowMs
    if (livedMs >= healthyMs) {
      this.#failures = 0
      return 0
    }
    this.#failures += 1
    return this.#failures === 1 ? 0 : Math.min(maxMs, firstMs * 2 ** (this.#failures - 2))
  }
}
