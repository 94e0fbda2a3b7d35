import type { Snapshot } from './api-client.ts'

/** What a stream, or all of them, carries; the newest value last. */
export interface RateHistory {
  /** Bits a second that came in, and that went out. */
  readonly in: readonly number[]
  readonly out: readonly number[]
  /** Pictures a second, of the last seconds. */
  readonly framesPerSecond: number
}

/** How many values are kept: a minute. */
export const historyLength = 60

const noRates: RateHistory = { in: [], out: [], framesPerSecond: 0 }

/** The counters that rates are made of. */
interface Counters {
  readonly recv_bytes: number
  readonly send_bytes: number
  readonly frames: number
}

/** The rates of a server and of each stream, from the counters of its snapshots. */
export class Rates {
  #last: Snapshot | null = null
  #total: RateHistory = noRates
  #streams: ReadonlyMap<string, RateHistory> = new Map()

  /** Of all clients. */
  get total(): RateHistory {
    return this.#total
  }

  /** Of a stream by its id; without values as long as it is unknown. */
  of(id: string): RateHistory {
    return this.#streams.get(id) ?? noRates
  }

  /** Takes the next snapshot; the same one twice is one. */
  add(snapshot: Snapshot): void {
    const last = this.#last
    if (last === snapshot) return
    this.#last = snapshot
    if (last === null) return
    const seconds = (snapshot.now_ms - last.now_ms) / 1000
    if (seconds <= 0) return
    this.#total = extend(
      this.#total,
      { ...last.totals, frames: 0 },
      { ...snapshot.totals, frames: 0 },
      seconds,
    )
    const before = new Map(last.streams.map((stream) => [stream.id, stream]))
    this.#streams = new Map(
      snapshot.streams.map((stream) => [
        stream.id,
        extend(this.of(stream.id), before.get(stream.id) ?? stream, stream, seconds),
      ]),
    )
  }
}

/** The mean of the last values: a number that does not jump with each picture. */
export function recent(values: readonly number[], count = 3): number {
  const last = values.slice(-count)
  return last.length === 0 ? 0 : last.reduce((sum, value) => sum + value, 0) / last.length
}

function extend(history: RateHistory, before: Counters, now: Counters, seconds: number): RateHistory {
  // A counter goes back when the process that counts is another one.
  const perSecond = (from: number, to: number): number => Math.max(0, to - from) / seconds
  const add = (values: readonly number[], value: number): number[] => [...values, value].slice(-historyLength)
  const frames = perSecond(before.frames, now.frames)
  return {
    in: add(history.in, perSecond(before.recv_bytes, now.recv_bytes) * 8),
    out: add(history.out, perSecond(before.send_bytes, now.send_bytes) * 8),
    // Frames come in lumps: what is shown follows slowly.
    framesPerSecond: history.framesPerSecond === 0 ? frames : history.framesPerSecond * 0.75 + frames * 0.25,
  }
}
