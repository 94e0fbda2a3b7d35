import { monotonicMs } from '../base/clock.ts'
import type { ProcessFacts } from '../ipc/contract.ts'

/** How often a timer looks how late it is, in milliseconds: seldom, since each time wakes the process. */
const checkMs = 1000

/** After so many checks the oldest seconds are forgotten. */
const checksPerSample = 5

interface Sample {
  readonly atMs: number
  readonly cpuMs: number
  readonly utilization: ReturnType<typeof performance.eventLoopUtilization>
}

/**
 * Measures what this process costs: in all, and over the last 5 to 10 seconds. (Node's own histogram of the event
 * loop's delay takes half a megabyte of each process.)
 */
export class ProcessMeter {
  #older: Sample = takeSample()
  #newer = this.#older
  #checkedAtMs = monotonicMs()
  #checks = 0
  /** The longest delays since the older sample and since the newer one. */
  #delayMs = { older: 0, newer: 0 }

  constructor() {
    setInterval(() => this.#check(), checkMs).unref()
  }

  read(): ProcessFacts {
    const now = takeSample()
    const { atMs, cpuMs, utilization } = this.#older
    return {
      pid: process.pid,
      uptimeMs: Math.round(process.uptime() * 1000),
      rssBytes: process.memoryUsage.rss(),
      cpuMs: Math.round(now.cpuMs),
      cpuShare: rounded((now.cpuMs - cpuMs) / Math.max(now.atMs - atMs, 1)),
      eventLoopUtilization: rounded(
        performance.eventLoopUtilization(now.utilization, utilization).utilization,
      ),
      eventLoopDelayMs: Math.round(Math.max(this.#delayMs.older, this.#delayMs.newer)),
    }
  }

  #check(): void {
    const now = monotonicMs()
    this.#delayMs.newer = Math.max(this.#delayMs.newer, now - this.#checkedAtMs - checkMs)
    this.#checkedAtMs = now
    this.#checks += 1
    if (this.#checks % checksPerSample !== 0) return
    this.#older = this.#newer
    this.#newer = takeSample()
    this.#delayMs = { older: this.#delayMs.newer, newer: 0 }
  }
}

function takeSample(): Sample {
  const { user, system } = process.cpuUsage()
  return {
    atMs: monotonicMs(),
    cpuMs: (user + system) / 1000,
    utilization: performance.eventLoopUtilization(),
  }
}

function rounded(share: number): number {
  return Number(share.toFixed(4))
}
