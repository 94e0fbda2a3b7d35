import { expect, test } from 'vitest'
import { timestampDelta, UnwrappedTime } from '../../src/media/timestamp-delta.ts'

test.each([
  [40, 0, 40],
  [0, 40, -40],
  [10, 0x7ffffff0, 26],
  [10, 0xfffffff0, 26],
  [0x7ffffff0, 10, -26],
])('%d after %d is %d', (a, b, delta) => {
  expect(timestampDelta(a, b)).toBe(delta)
})

test('time goes on where timestamps wrap, at either length', () => {
  const short = new UnwrappedTime()
  expect([0x7ffffff0, 10, 50].map((time) => short.next(time))).toEqual([0x7ffffff0, 0x8000000a, 0x80000032])
  const long = new UnwrappedTime()
  expect([0xfffffff0, 10].map((time) => long.next(time))).toEqual([0xfffffff0, 0x10000000a])
})

test('time goes back where timestamps do', () => {
  const time = new UnwrappedTime()
  expect([100, 60, 140].map((timestamp) => time.next(timestamp))).toEqual([100, 60, 140])
})
