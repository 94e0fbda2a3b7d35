import type { ClipKbps } from './clip.ts'
import type { Peers } from './servers/peers.ts'

/** What every case gets: the circumstances of this run. */
export interface BenchRun {
  /** Smaller and shorter, to try the harness: the figures say little. */
  readonly quick: boolean
  /** How long a load is measured, in seconds. */
  readonly seconds: number
  readonly peers: Peers
  /** Where files may be made; removed at the end. */
  readonly dir: string
  /** Path of the clip of this bit rate, made when it is first asked for. */
  clip(kbps: ClipKbps): string
  /** A count of clients or repetitions, smaller in a quick run. */
  count(full: number): number
  /** A line about what is being done. */
  say(line: string): void
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** @throws Error with this text when the promise takes longer */
export async function within<Value>(ms: number, promise: Promise<Value>, text: string): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${text} after ${ms / 1000} s`)), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
