import { afterEach, expect, test, vi } from 'vitest'
import { monotonicMs } from '../../src/base/clock.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('a change of the system clock does not move it', () => {
  vi.useFakeTimers()
  const before = monotonicMs()
  vi.setSystemTime(Date.now() - 86_400_000)
  expect(monotonicMs()).toBe(before)
  vi.advanceTimersByTime(250)
  expect(monotonicMs() - before).toBe(250)
})
