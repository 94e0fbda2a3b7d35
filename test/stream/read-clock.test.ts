import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { monotonicMs } from '../../src/base/clock.ts'
import { ReadClock, type Reader } from '../../src/stream/read-clock.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function reader(): Reader & { reads: number } {
  return {
    reads: 0,
    readOn() {
      this.reads += 1
    },
  }
}

/** Lets time pass until a tick of the interval has just been. */
function toTick(intervalMs: number): void {
  vi.advanceTimersByTime(Math.ceil(intervalMs - (monotonicMs() % intervalMs)))
}

test('all who rest for the same time read on together, whenever they began', () => {
  const clock = new ReadClock()
  const [first, second] = [reader(), reader()]
  toTick(100)
  clock.rest(first, 100)
  vi.advanceTimersByTime(60)
  clock.rest(second, 100)
  vi.advanceTimersByTime(38)
  expect([first.reads, second.reads]).toStrictEqual([0, 0])
  vi.advanceTimersByTime(2)
  expect([first.reads, second.reads]).toStrictEqual([1, 1])
  expect(vi.getTimerCount()).toBe(0)
})

test('who rests for another time has ticks of its own', () => {
  const clock = new ReadClock()
  const [often, seldom] = [reader(), reader()]
  toTick(300)
  clock.rest(often, 30)
  clock.rest(seldom, 300)
  vi.advanceTimersByTime(30)
  expect([often.reads, seldom.reads]).toStrictEqual([1, 0])
  vi.advanceTimersByTime(270)
  expect([often.reads, seldom.reads]).toStrictEqual([1, 1])
})

test('one that rests again while it is told to read on is told at the next tick', () => {
  const clock = new ReadClock()
  let reads = 0
  const again: Reader = {
    readOn: () => {
      reads += 1
      if (reads < 3) clock.rest(again, 50)
    },
  }
  clock.rest(again, 50)
  vi.advanceTimersByTime(51)
  expect(reads).toBe(1)
  vi.advanceTimersByTime(100)
  expect(reads).toBe(3)
  expect(vi.getTimerCount()).toBe(0)
})
