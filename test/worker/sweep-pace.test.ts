import { expect, test } from 'vitest'
import { SweepPace } from '../../src/worker/sweep-pace.ts'

test('who is late by more than a period was held up, and is told so once', () => {
  const pace = new SweepPace(1000, 0)
  const told = [1000, 2900, 4900, 7000, 8000, 20_000, 40_000, 60_000].map((nowMs) => pace.isHeldUp(nowMs))
  expect(told).toEqual([false, false, false, true, false, true, false, true])
})
