import { afterEach, expect, test, vi } from 'vitest'
import { monotonicMs, SteadyClock } from '../../src/base/clock.ts'

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

test('a steady clock takes a change of the system clock over when it is told to, and runs evenly in between', () => {
  vi.useFakeTimers()
  const clock = new SteadyClock()
  const before = clock.nowMs()
  expect(before).toBe(Date.now())
  vi.setSystemTime(before - 86_400_000)
  expect(clock.nowMs()).toBe(before)
  vi.advanceTimersByTime(250)
  expect(clock.nowMs()).toBe(before + 250)
  clock.adjust()
  expect(clock.nowMs()).toBe(before - 86_400_000 + 250)
})
