import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ForwardTurns } from '../../src/master/forward-turns.ts'
import type { SourceEntry } from '../../src/master/source-entry.ts'
import { configOf } from '../support/config.ts'
import { FakeWorker } from './fakes.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const config = (ms: number) =>
  configOf(`pithy_print_ms ${ms}; vhost a.com { forward 127.0.0.1; } vhost b.com { }`)

test('one stream of those that are forwarded has its turn in each interval; a reload changes that', () => {
  const worker = new FakeWorker('b1')
  const sources = new Map<string, SourceEntry>()
  const add = (number: number, stream: string, isPublished = true): void => {
    const publisher = isPublished ? {} : null
    sources.set(stream, { stream, number, publisher, host: { worker: worker.handle } } as SourceEntry)
  }
  const turns = new ForwardTurns(config(1000), sources)
  /** Whose turn it was in each interval of so many milliseconds. */
  const after = (ms: number): number[] => {
    vi.advanceTimersByTime(ms)
    return worker.take().map((message) => (message.t === 'summarise' ? message.source : 0))
  }
  expect(after(3000)).toEqual([])
  add(1, 'a.com/live/x')
  add(2, 'b.com/live/x')
  add(3, 'a.com/live/y')
  add(4, 'a.com/live/z', false)
  expect(after(3000)).toEqual([1, 3, 1])
  sources.delete('a.com/live/x')
  expect(after(2000)).toEqual([3, 3])
  turns.config = config(500)
  expect(after(1000)).toEqual([3, 3])
  turns.config = configOf('pithy_print_ms 500; vhost a.com { }')
  expect(after(1000)).toEqual([])
  turns.close()
  expect(vi.getTimerCount()).toBe(0)
})
