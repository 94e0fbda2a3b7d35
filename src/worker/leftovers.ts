import { getHeapStatistics } from 'node:v8'

/** How often to check, in milliseconds. */
export const leftoverCheckMs = 15_000

/** More than this above the least there was is worth a collection, in bytes. */
const leftBehindBytes = 8 * 1024 * 1024

/** Share of the time since the last check in which the event loop was busy; above it V8 collects in the course of its work. */
const quietShare = 0.1

/** After a collection that found little, so many checks pass without one: what is in use takes its time to become garbage. */
const restingChecks = 2

/** A process as {@link Leftovers} sees it. */
export interface Gauge {
  /** Memory that a collection can give back: V8's heap with what it keeps to work with, and the buffers outside of it. */
  heldBytes(): number
  /** Share of the time since the last call in which the event loop was busy, 0 to 1. */
  busyShare(): number
  /** Collects everything, and gives back what V8 keeps to work with; takes 20 ms for a small heap. */
  collect(): void
}

/**
 * V8 collects nothing while nothing happens, and keeps the room that a burst needed: after one a quiet process would
 * keep its garbage for good, however much that is.
 */
export class Leftovers {
  readonly #gauge: Gauge
  /** The least that was held. What a collection leaves may be garbage a moment later, and is no measure. */
  #leastBytes: number
  #resting = 0

  constructor(gauge: Gauge) {
    this.#gauge = gauge
    this.#leastBytes = gauge.heldBytes()
  }

  /** To be called every {@link leftoverCheckMs}. */
  check(): void {
    const isQuiet = this.#gauge.busyShare() <= quietShare
    if (this.#resting > 0) this.#resting -= 1
    else if (isQuiet && this.#isMuch(this.#gauge.heldBytes())) this.#collect()
  }

  #collect(): void {
    this.#gauge.collect()
    const bytes = this.#gauge.heldBytes()
    if (this.#isMuch(bytes)) this.#resting = restingChecks
    this.#leastBytes = Math.min(this.#leastBytes, bytes)
  }

  #isMuch(bytes: number): boolean {
    return bytes - this.#leastBytes >= leftBehindBytes
  }
}

/** This process. Without `--expose-gc` nothing is collected. */
export function ownGauge(): Gauge {
  let last = performance.eventLoopUtilization()
  return {
    heldBytes: () => {
      const { total_heap_size: heap, external_memory: external } = getHeapStatistics()
      return heap + external
    },
    busyShare: () => {
      const now = performance.eventLoopUtilization()
      const { utilization } = performance.eventLoopUtilization(now, last)
      last = now
      return utilization
    },
    collect: () => globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
  }
}
