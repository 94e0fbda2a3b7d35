import { expect, test } from 'vitest'
import { RateBook, sampleMs } from '../../src/worker/byte-rates.ts'

const counts = (sendBytes: number, recvBytes = 0) => ({ sendBytes, recvBytes })

test('rates are those of the last 15 to 30 seconds, whatever was before', () => {
  const book = new RateBook(0)
  // 1000 bytes a second are 8 kbit/s.
  for (let second = 1; second <= 100; second += 1) {
    const [nowMs, now] = [second * 1000, counts(second * 1000, second * 500)]
    if (book.isDue(nowMs)) book.sample(nowMs, [['a', now]])
    expect(book.rates(nowMs, 'a', now)).toEqual({ sendKbps: 8, recvKbps: 4 })
  }
  const stopped = counts(100_000, 50_000)
  book.sample(105_000, [['a', stopped]])
  book.sample(120_000, [['a', stopped]])
  expect(book.rates(121_000, 'a', stopped)).toEqual({ sendKbps: 0, recvKbps: 0 })
})

test('what came within the window counts from nothing', () => {
  const book = new RateBook(0)
  book.sample(15_000, [])
  book.sample(30_000, [])
  expect(book.rates(35_000, 'new', counts(25_000))).toEqual({ sendKbps: 10, recvKbps: 0 })
})

test('what is known to have begun within the window has its rate since then, over a second at least', () => {
  const book = new RateBook(0)
  expect(book.rates(35_000, 'new', counts(10_000), 25_000).sendKbps).toBe(8)
  expect(book.rates(35_000, 'new', counts(1000), 34_990).sendKbps).toBe(8)
  expect(book.rates(35_000, 'old', counts(35_000), -5000).sendKbps).toBe(8)
})

test('at the start of a process the window is a second at least', () => {
  expect(new RateBook(0).rates(10, 'a', counts(1000))).toEqual({ sendKbps: 8, recvKbps: 0 })
})

test('what is gone is forgotten: its name begins anew', () => {
  const book = new RateBook(0)
  book.sample(15_000, [['a', counts(1_000_000)]])
  book.sample(30_000, [])
  book.sample(45_000, [['a', counts(1500)]])
  expect(book.rates(45_000, 'a', counts(1500)).sendKbps).toBe(1)
})

test('counters that begin anew under the same name give no negative rate', () => {
  const book = new RateBook(0)
  book.sample(15_000, [['a', counts(1_000_000)]])
  book.sample(30_000, [['a', counts(10)]])
  expect(book.rates(31_000, 'a', counts(20)).sendKbps).toBe(0)
})

test('a sample is due every 15 seconds', () => {
  const book = new RateBook(100)
  expect([book.isDue(sampleMs + 99), book.isDue(sampleMs + 100)]).toEqual([false, true])
})
