import { expect, test } from 'vitest'
import { SeekIndex } from '../../../src/media/dvr/seek-index.ts'

test('has all key frames as long as there is room', () => {
  const index = new SeekIndex(4)
  for (let n = 0; n < 4; n += 1) index.add({ at: n * 100, timeMs: n * 10 })
  expect(index.points).toEqual([0, 1, 2, 3].map((n) => ({ at: n * 100, timeMs: n * 10 })))
})

test('covers the whole file, however long it is, in the room it has', () => {
  const capacity = 100
  const index = new SeekIndex(capacity)
  for (let n = 0; n < 100_000; n += 1) {
    index.add({ at: n, timeMs: n })
    expect(index.points.length).toBeLessThanOrEqual(capacity)
  }
  const times = index.points.map(({ timeMs }) => timeMs)
  expect(times[0]).toBe(0)
  expect(times.length).toBeGreaterThan(capacity / 2 - 2)
  const steps = times.slice(1).map((time, n) => time - times[n]!)
  // No gap is longer than a few times what the room allows at best.
  expect(Math.max(...steps)).toBeLessThan((4 * 100_000) / capacity)
  expect(100_000 - times.at(-1)!).toBeLessThan((4 * 100_000) / capacity)
})

test('goes on with the index of a file', () => {
  const index = new SeekIndex(
    4,
    [0, 1, 2, 3, 4, 5].map((n) => ({ at: n, timeMs: n })),
  )
  expect(index.points.map(({ at }) => at)).toEqual([0, 2, 4])
  index.add({ at: 6, timeMs: 6 })
  index.add({ at: 7, timeMs: 7 })
  index.add({ at: 8, timeMs: 8 })
  expect(index.points.map(({ at }) => at)).toEqual([0, 4, 8])
})
