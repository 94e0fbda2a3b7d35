import { monotonicMs } from '../base/clock.ts'

/** Something that gathers output and is told when to let it go. */
export interface Flushable {
  flush(): void
}

/** The longest interval `auto` takes, in milliseconds: the merged write that SRS has by default. */
const maxAutoMs = 350

/** The share of a core that `auto` lets flushing take: flushes are so far apart that they cost no more. */
const autoBudget = 0.1

/** Weight of the newest flush in the smoothed cost. */
const newestWeight = 0.3

/**
 * No flush is believed to cost more than twice the smoothed cost and so many milliseconds: a collection, or another
 * process on the core, holds a flush up as well, and a second later that is gone. A load that has come stays, and is
 * believed after some ten flushes.
 */
const believedRiseMs = 0.5

/** Below this wait a timer costs more than it merges: what came in one event-loop turn goes out at its end. */
const turnMs = 1

/**
 * Tells many broadcasts when to flush, with one timer. With a fixed interval (`mw_latency` in milliseconds) what comes
 * is gathered for so long. `auto` gathers nothing as long as flushing takes at most a tenth of a core: then flushes
 * follow each other no sooner than that allows, up to 350 ms apart. So a frame that comes 40 ms after the one before
 * goes out at once to some hundred players, and a moment later the next one of a burst waits.
 */
export class FlushClock {
  readonly #latencyMs: number | 'auto'
  #dirty: Flushable[] = []
  #armed = false
  /** When the last flush began. */
  #flushedAtMs = Number.NEGATIVE_INFINITY
  /** Smoothed cost of flushing everything once, in milliseconds. */
  #costMs = 0

  /** @param latencyMs how long output is gathered, in milliseconds, or `auto` */
  constructor(latencyMs: number | 'auto') {
    this.#latencyMs = latencyMs
  }

  /** The least time between two flushes, in milliseconds. */
  get intervalMs(): number {
    return this.#latencyMs === 'auto' ? Math.min(maxAutoMs, this.#costMs / autoBudget) : this.#latencyMs
  }

  /** Has `target` flushed at the next tick. Call it once per target and tick. */
  schedule(target: Flushable): void {
    this.#dirty.push(target)
    if (this.#armed) return
    this.#armed = true
    const waitMs = this.#waitMs()
    if (waitMs < turnMs) setImmediate(this.#tick)
    else setTimeout(this.#tick, waitMs)
  }

  #waitMs(): number {
    return this.#latencyMs === 'auto' ? this.#flushedAtMs + this.intervalMs - monotonicMs() : this.#latencyMs
  }

  readonly #tick = (): void => {
    this.#armed = false
    const targets = this.#dirty
    this.#dirty = []
    this.#flushedAtMs = monotonicMs()
    for (const target of targets) target.flush()
    const cost = Math.min(monotonicMs() - this.#flushedAtMs, 2 * this.#costMs + believedRiseMs)
    this.#costMs += (cost - this.#costMs) * newestWeight
  }
}
