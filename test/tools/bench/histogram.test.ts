import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Histogram } from '../../../src/tools/bench/histogram.ts'

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram()
  for (const ms of values) histogram.record(ms)
  return histogram
}

/** What a sorted list has at the rank. */
function exactPercentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(Math.ceil(sorted.length * share), 1) - 1]!
}

const times = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 2 ** 31 - 1 })).map((us) => us / 1000),
  { minLength: 1, maxLength: 50 },
)

describe('Histogram', () => {
  test('has no values at first', () => {
    const histogram = new Histogram()
    expect([histogram.count, histogram.maxMs, histogram.percentile(0.5)]).toStrictEqual([0, 0, 0])
  })

  test.each([
    { values: [1, 2, 3, 4], share: 0.5, low: 2, high: 2.06 },
    { values: [1, 2, 3, 4], share: 0.99, low: 4, high: 4 },
    { values: [0.005, 0.005, 700], share: 0.5, low: 0.005, high: 0.005 },
    { values: [-3], share: 0.5, low: 0, high: 0 },
    // Longer than the last bucket: the longest one is known anyway.
    { values: [1e9], share: 1, low: 2 ** 31 / 1000 - 1, high: 1e9 },
  ])('$share of $values', ({ values, share, low, high }) => {
    const found = histogramOf(values).percentile(share)
    expect(found).toBeGreaterThanOrEqual(low)
    expect(found).toBeLessThanOrEqual(high)
  })

  test('a percentile is at most one part in 32 above the true one, and never above the longest', () => {
    fc.assert(
      fc.property(times, fc.double({ min: 0, max: 1, noNaN: true }), (values, share) => {
        const exact = exactPercentile(values, share)
        const found = histogramOf(values).percentile(share)
        expect(found).toBeGreaterThanOrEqual(exact)
        expect(found).toBeLessThanOrEqual(Math.min(exact * (1 + 1 / 32), Math.max(...values)))
      }),
    )
  })

  test('merged ones are as one of all values', () => {
    fc.assert(
      fc.property(times, times, (one, two) => {
        const merged = Histogram.merge([histogramOf(one).toData(), histogramOf(two).toData()])
        expect(merged.toData()).toStrictEqual(histogramOf([...one, ...two]).toData())
      }),
    )
  })

  test('data is a copy, which clearing leaves alone', () => {
    const histogram = histogramOf([5])
    const data = histogram.toData()
    histogram.clear()
    expect(histogram.count).toBe(0)
    expect(histogram.percentile(0.5)).toBe(0)
    expect(Histogram.merge([data]).maxMs).toBe(5)
  })
})
