import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { monotonicMs } from '../../../src/base/clock.ts'
import { type ClockedSender, SendClock } from '../../../src/tools/bench/send-clock.ts'

/** Sends every `intervalMs`, `count` times, and remembers when. */
class FakeSender implements ClockedSender {
  readonly sentMs: number[] = []
  readonly #startMs = monotonicMs()
  readonly #intervalMs: number
  readonly #count: number

  constructor(intervalMs: number, count: number) {
    this.#intervalMs = intervalMs
    this.#count = count
  }

  sendDue(nowMs: number): number | null {
    const dueMs = this.#startMs + this.#intervalMs * this.sentMs.length
    if (dueMs > nowMs) return dueMs
    this.sentMs.push(nowMs - this.#startMs)
    return this.sentMs.length === this.#count ? null : dueMs + this.#intervalMs
  }
}

describe('SendClock', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  test('calls each sender when it has something to send', () => {
    const clock = new SendClock()
    const [one, two] = [new FakeSender(40, 100), new FakeSender(25, 100)]
    clock.add(one)
    clock.add(two)
    vi.advanceTimersByTime(101)
    expect(one.sentMs.map(Math.round)).toStrictEqual([0, 40, 80])
    expect(two.sentMs.map(Math.round)).toStrictEqual([0, 25, 50, 75, 100])
  })

  test('forgets a sender that is done or removed, and rests without any', () => {
    const clock = new SendClock()
    const [one, two] = [new FakeSender(40, 2), new FakeSender(40, 100)]
    clock.add(one)
    clock.add(two)
    vi.advanceTimersByTime(100)
    clock.remove(two)
    vi.advanceTimersByTime(1000)
    expect(one.sentMs).toHaveLength(2)
    expect(two.sentMs).toHaveLength(3)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('goes on for one that is added to others or after them', () => {
    const clock = new SendClock()
    clock.add(new FakeSender(40, 1))
    vi.advanceTimersByTime(100)
    const late = new FakeSender(40, 100)
    clock.add(late)
    vi.advanceTimersByTime(90)
    expect(late.sentMs).toHaveLength(3)
  })
})
