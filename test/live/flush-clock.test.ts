import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Flushable, FlushClock } from '../../src/live/flush-clock.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Something to flush that takes `costMs` each time. */
function target(costMs = 0): Flushable & { flushes: number } {
  return {
    flushes: 0,
    flush() {
      this.flushes += 1
      vi.advanceTimersByTime(costMs)
    },
  }
}

describe('a fixed interval', () => {
  test('flushes all that was scheduled with one timer, once', () => {
    const clock = new FlushClock(100)
    const [one, other] = [target(), target()]
    clock.schedule(one)
    vi.advanceTimersByTime(60)
    clock.schedule(other)
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(39)
    expect([one.flushes, other.flushes]).toStrictEqual([0, 0])
    vi.advanceTimersByTime(1)
    expect([one.flushes, other.flushes]).toStrictEqual([1, 1])
    vi.advanceTimersByTime(1000)
    expect([one.flushes, other.flushes]).toStrictEqual([1, 1])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('of 0 flushes at the end of the turn', () => {
    const clock = new FlushClock(0)
    const one = target()
    clock.schedule(one)
    expect(one.flushes).toBe(0)
    vi.advanceTimersByTime(0)
    expect(one.flushes).toBe(1)
  })

  test('begins again for what is scheduled during a flush', () => {
    const clock = new FlushClock(100)
    const again = target()
    clock.schedule({ flush: () => clock.schedule(again) })
    vi.advanceTimersByTime(100)
    expect(again.flushes).toBe(0)
    vi.advanceTimersByTime(100)
    expect(again.flushes).toBe(1)
  })

  test('stays, whatever a flush costs', () => {
    const clock = new FlushClock(20)
    clock.schedule(target(50))
    vi.advanceTimersByTime(20)
    expect(clock.intervalMs).toBe(20)
  })
})

describe('auto', () => {
  /** @returns the interval after so many flushes that cost `costMs` each */
  function intervalAfter(clock: FlushClock, costMs: number, flushes = 60): number {
    for (let flush = 0; flush < flushes; flush += 1) {
      clock.schedule(target(costMs))
      vi.runOnlyPendingTimers()
    }
    return clock.intervalMs
  }

  test('flushes at the end of the turn while flushes cost nothing', () => {
    const clock = new FlushClock('auto')
    expect(clock.intervalMs).toBe(0)
    expect(intervalAfter(clock, 0)).toBe(0)
  })

  test('takes ten times the cost of a flush, up to 350 ms', () => {
    const clock = new FlushClock('auto')
    expect(intervalAfter(clock, 4)).toBeCloseTo(40)
    expect(intervalAfter(clock, 30)).toBeCloseTo(300)
    expect(intervalAfter(clock, 100)).toBe(350)
  })

  test('counts the interval from flush to flush: what comes later than that waits for nothing', () => {
    const clock = new FlushClock('auto')
    expect(intervalAfter(clock, 2)).toBeCloseTo(20)
    const [early, late] = [target(), target()]
    vi.advanceTimersByTime(10)
    clock.schedule(early)
    vi.advanceTimersByTime(5)
    expect(early.flushes).toBe(0)
    vi.advanceTimersByTime(5)
    expect(early.flushes).toBe(1)
    vi.advanceTimersByTime(25)
    clock.schedule(late)
    vi.advanceTimersByTime(0)
    expect(late.flushes).toBe(1)
  })

  test('believes a load after some flushes, and its end too', () => {
    const clock = new FlushClock('auto')
    expect(intervalAfter(clock, 30, 15)).toBeGreaterThan(200)
    expect(intervalAfter(clock, 0, 20)).toBeLessThan(1)
  })

  test('does not take one pause for a load', () => {
    const clock = new FlushClock('auto')
    intervalAfter(clock, 1)
    expect(intervalAfter(clock, 100, 1)).toBeLessThan(20)
    expect(intervalAfter(clock, 1, 10)).toBeLessThan(11)
  })
})
