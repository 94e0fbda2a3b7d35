import type { Percentiles } from '../../src/tools/bench/result.ts'

/** Nearest-rank percentiles of some samples. @throws Error when there are none */
export function summarize(samples: readonly number[]): Percentiles {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (share: number): number => {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]
    if (value === undefined) throw new Error('percentiles of nothing')
    return value
  }
  return { p50: at(0.5), p99: at(0.99), max: at(1) }
}
