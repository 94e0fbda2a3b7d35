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
  /** @returns the interval after a flush that costs `costMs` */
  function intervalAfter(clock: FlushClock, costMs: number): number {
    clock.schedule(target(costMs))
    vi.runOnlyPendingTimers()
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

  test('takes less than that while a flush is cheap', () => {
    expect(intervalAfter(new FlushClock('auto'), 2)).toBeCloseTo(10)
    expect(intervalAfter(new FlushClock('auto'), 1)).toBeCloseTo(2.5)
  })

  test('comes down slowly', () => {
    const clock = new FlushClock('auto')
    intervalAfter(clock, 20)
    expect(intervalAfter(clock, 10)).toBeCloseTo(180)
    expect(intervalAfter(clock, 10)).toBeCloseTo(164)
    for (let flush = 0; flush < 50; flush += 1) intervalAfter(clock, 0)
    expect(clock.intervalMs).toBeLessThan(1)
  })
})
