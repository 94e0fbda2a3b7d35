import type { ByteRates } from '../ipc/contract.ts'

/** What went out and came in since the counting began. */
export interface ByteCounts {
  readonly sendBytes: number
  readonly recvBytes: number
}

/** How far apart the samples are, in milliseconds. */
export const sampleMs = 15_000

/** The first rates of a process are not those of an instant. */
const minWindowMs = 1000

interface Sample {
  readonly atMs: number
  readonly counts: ReadonlyMap<string, ByteCounts>
}

/**
 * The rates of many things that are counted, each known by a key, over the last 15 to 30 seconds. A sample of all
 * counters every 15 seconds is all it costs; what is gone is forgotten with it.
 */
export class RateBook {
  #newer: Sample
  #older: Sample

  constructor(nowMs: number) {
    this.#newer = { atMs: nowMs, counts: new Map() }
    this.#older = this.#newer
  }

  isDue(nowMs: number): boolean {
    return nowMs - this.#newer.atMs >= sampleMs
  }

  /** To be called when it is due, with all that is counted. */
  sample(nowMs: number, counted: Iterable<readonly [key: string, counts: ByteCounts]>): void {
    const counts = new Map<string, ByteCounts>()
    for (const [key, { sendBytes, recvBytes }] of counted) counts.set(key, { sendBytes, recvBytes })
    this.#older = this.#newer
    this.#newer = { atMs: nowMs, counts }
  }

  /**
   * @param now what is counted at this moment
   * @param beganAtMs since when it is counted, if that is known: what came within the window has a rate at once
   */
  rates(nowMs: number, key: string, now: ByteCounts, beganAtMs = 0): ByteRates {
    const { atMs, counts } = this.#older
    const then = counts.get(key)
    const windowMs = Math.max(nowMs - Math.max(atMs, beganAtMs), minWindowMs)
    const kbps = (bytes: number): number => Math.max(0, Math.round((8 * bytes) / windowMs))
    return {
      sendKbps: kbps(now.sendBytes - (then?.sendBytes ?? 0)),
      recvKbps: kbps(now.recvBytes - (then?.recvBytes ?? 0)),
    }
  }
}
