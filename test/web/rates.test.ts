import { expect, test } from 'vitest'
import { historyLength, Rates, recent } from '../../web/src/console/rates.ts'
import { snapshotOf } from './snapshots.ts'

test('rates are what counters differ by, over the time between', () => {
  const rates = new Rates()
  rates.add(snapshotOf(1000, [{ recv_bytes: 1000, send_bytes: 0, frames: 10 }], 500))
  expect(rates.of('vid-1').in).toEqual([])
  const next = snapshotOf(3000, [{ recv_bytes: 3000, send_bytes: 500, frames: 60 }], 1500)
  rates.add(next)
  rates.add(next)
  expect(rates.of('vid-1')).toEqual({ in: [8000], out: [2000], framesPerSecond: 25 })
  expect(rates.total.out).toEqual([4000])
})

test('a counter that goes back, and a stream that is new, give no rate', () => {
  const rates = new Rates()
  rates.add(snapshotOf(1000, [{ recv_bytes: 5000 }]))
  rates.add(snapshotOf(2000, [{ recv_bytes: 10 }, { id: 'vid-2', recv_bytes: 9000 }]))
  expect(rates.of('vid-1').in).toEqual([0])
  expect(rates.of('vid-2').in).toEqual([0])
})

test('a minute is kept, and nothing of a stream that is gone', () => {
  const rates = new Rates()
  for (let second = 0; second <= 2 * historyLength; second += 1) {
    rates.add(snapshotOf(second * 1000, [{ recv_bytes: second * 1000 }]))
  }
  expect(rates.of('vid-1').in).toEqual(Array.from({ length: historyLength }, () => 8000))
  rates.add(snapshotOf(1_000_000))
  expect(rates.of('vid-1').in).toEqual([])
})

test('the mean of the last values', () => {
  expect([recent([]), recent([6]), recent([100, 1, 2, 3])]).toEqual([0, 6, 2])
})
