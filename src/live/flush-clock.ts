import { monotonicMs } from '../base/clock.ts'

/** Something that gathers output and is told when to let it go. */
export interface Flushable {
  flush(): void
}

/** The longest interval `auto` takes, in milliseconds: the merged write that SRS has by default. */
const maxAutoMs = 350

/** The share of a core that `auto` lets flushing take: the interval grows until flushes cost no more. */
const autoBudget = 0.1

/**
 * A flush cheaper than this, in milliseconds, is repeated sooner than the budget has it: packets come a hundred
 * times a second at most, so that a few players never cost much, and they are the ones who notice latency.
 */
const cheapFlushMs = 4

/** Below this interval a timer costs more than it merges: what came in one event-loop turn goes out at its end. */
const turnMs = 1

/**
 * Tells many broadcasts when to flush, with one timer. The interval is fixed (`mw_latency` in milliseconds), or
 * follows the measured cost of a flush (`auto`): end of turn when few play, up to 350 ms under load.
 */
export class FlushClock {
  readonly #latencyMs: number | 'auto'
  #dirty: Flushable[] = []
  #armed = false
  /** Smoothed cost of flushing everything once, in milliseconds. */
  #costMs = 0

  /** @param latencyMs interval between flushes in milliseconds, or `auto` */
  constructor(latencyMs: number | 'auto') {
    this.#latencyMs = latencyMs
  }

  /** The interval in force, in milliseconds. */
  get intervalMs(): number {
    if (this.#latencyMs !== 'auto') return this.#latencyMs
    const eagerness = Math.min(1, this.#costMs / cheapFlushMs)
    return Math.min(maxAutoMs, (this.#costMs / autoBudget) * eagerness)
  }

  /** Has `target` flushed at the next tick. Call it once per target and tick. */
  schedule(target: Flushable): void {
    this.#dirty.push(target)
    if (this.#armed) return
    this.#armed = true
    const interval = this.intervalMs
    if (interval < turnMs) setImmediate(this.#tick)
    else setTimeout(this.#tick, interval)
  }

  readonly #tick = (): void => {
    this.#armed = false
    const targets = this.#dirty
    this.#dirty = []
    const begin = monotonicMs()
    for (const target of targets) target.flush()
    const cost = monotonicMs() - begin
    // Rises at once with the load, falls slowly: a single cheap flush says little.
    this.#costMs = cost > this.#costMs ? cost : this.#costMs * 0.8 + cost * 0.2
  }
}
