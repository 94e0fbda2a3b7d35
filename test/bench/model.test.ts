import { describe, expect, test } from 'vitest'
import { predict, type Units, workersWithPlayers, writeUnits } from '../../bench/model.ts'

test('two intervals tell what a write costs and what its bytes cost', () => {
  // 1,000 players at 800 kbit/s: 10 kB each 100 ms, 40 kB each 400 ms. 5 us and 0.5 us a kB.
  const often = { players: 1000, intervalMs: 100, kbps: 800, cpuPercent: 10 }
  const seldom = { players: 1000, intervalMs: 400, kbps: 800, cpuPercent: 6.25 }
  const { writeUs, writeUsPerKb } = writeUnits(seldom, often)
  expect(writeUs).toBeCloseTo(5)
  expect(writeUsPerKb).toBeCloseTo(0.5)
})

test('players of a stream are in few of many workers', () => {
  expect(workersWithPlayers(1, 5)).toBe(1)
  expect(workersWithPlayers(64, 1)).toBeCloseTo(1)
  expect(workersWithPlayers(2, 2)).toBeCloseTo(1.5)
  expect(workersWithPlayers(4, 1000)).toBeCloseTo(4)
})

describe('a prediction', () => {
  const publisher = { workerUs: 600, sourceUs: 400 }
  const subscription = { workerUs: 500, sourceUs: 500 }
  const units: Units = { writeUs: 5, writeUsPerKb: 0.5, publisher, subscription }
  const demand = { gbps: 8, kbps: 800, playersPerStream: 10_000, intervalMs: 400 }

  test('of one stream: the writes alone', () => {
    const { writeCores, ...rest } = predict(units, demand, 16)
    // 10,000 players x 2.5 writes/s x 25 us.
    expect(writeCores).toBeCloseTo(0.625)
    expect(rest).toStrictEqual({
      players: 10_000,
      streams: 1,
      workers: 1,
      publishCores: 0.001,
      subscribeCores: 0.001,
    })
  })

  test('of many streams: a worker more where the first is too busy', () => {
    const { workers, streams, subscribeCores } = predict(units, { ...demand, playersPerStream: 20 }, 16)
    expect(streams).toBe(500)
    expect(workers).toBe(3)
    expect(subscribeCores).toBeCloseTo(1.5, 2)
  })

  test('of more than the cores carry', () => {
    expect(predict(units, { ...demand, playersPerStream: 1 }, 16)).toMatchObject({
      workers: null,
      streams: 10_000,
    })
  })
})
