import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type TimeJitter, TimestampCorrector, timestampDelta } from '../../src/live/timestamps.ts'

function corrected(mode: TimeJitter, timestamps: readonly number[]): number[] {
  const corrector = new TimestampCorrector(mode)
  return timestamps.map((timestamp) => corrector.correct(timestamp))
}

describe('the difference of two timestamps', () => {
  test.each([
    [40, 0, 40],
    [0, 40, -40],
    [5, 5, 0],
    [10, 2 ** 31 - 10, 20],
    [2 ** 31 - 10, 10, -20],
    [10, 2 ** 32 - 10, 20],
    [2 ** 32 - 10, 10, -20],
    [2 ** 31 + 20, 20, 0],
    [2 ** 30 - 1, 0, 2 ** 30 - 1],
    [2 ** 30, 0, -(2 ** 30)],
    [2 ** 33 + 7, 2 ** 33, 7],
  ])('%d - %d = %d', (a, b, delta) => {
    expect(timestampDelta(a, b)).toBe(delta)
  })
})

describe('full', () => {
  test.each<[string, number[], number[]]>([
    ['starts at 0', [5000, 5040, 5080], [0, 40, 80]],
    ['leaves a steady stream alone', [0, 23, 40, 46, 69, 80], [0, 23, 40, 46, 69, 80]],
    ['keeps steps of up to 500 ms', [0, 500, 1000], [0, 500, 1000]],
    ['takes 40 ms for a longer step', [0, 501, 541], [0, 40, 80]],
    ['takes 40 ms for a long step back', [1000, 1040, 0, 40], [0, 40, 80, 120]],
    ['holds a small step back', [100, 140, 123, 146, 180], [0, 40, 40, 46, 80]],
    [
      'holds several of them, and its clock does not run away',
      [0, 400, 100, 410, 200, 420],
      [0, 400, 400, 410, 410, 420],
    ],
    ['holds a step back of 500 ms', [0, 500, 0, 490, 520], [0, 500, 500, 500, 520]],
    ['does not go below 0 with the second packet', [100, 90, 101], [0, 0, 1]],
    ['jumps on from the latest time, not from one that is held', [0, 400, 100, 5000], [0, 400, 400, 440]],
    ['goes through the end of 24 bits', [0xfffff0, 0x1000010], [0, 32]],
    ['goes through the end of 31 bits', [2 ** 31 - 20, 20, 60], [0, 40, 80]],
    ['goes through the end of 32 bits', [2 ** 32 - 20, 20, 60], [0, 40, 80]],
    ['of a peer that counts beyond 31 bits', [2 ** 31 - 20, 2 ** 31 + 20], [0, 40]],
  ])('%s', (_, sent, expected) => {
    expect(corrected('full', sent)).toStrictEqual(expected)
  })

  test('gives times that never go back and never jump, whatever is sent', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2 ** 32 - 1), { size: 'max', maxLength: 50 }), (timestamps) => {
        let last = 0
        for (const time of corrected('full', timestamps)) {
          expect(time - last).toBeGreaterThanOrEqual(0)
          expect(time - last).toBeLessThanOrEqual(500)
          last = time
        }
      }),
    )
  })

  test('starts at 0 again after 2^32 ms: 49 days', () => {
    const corrector = new TimestampCorrector('full')
    let time = 0
    let out = corrector.correct(0)
    // Reached in one step: by a day at a time it would be a jump, so the mode is changed for it.
    corrector.mode = 'zero'
    for (let day = 1; day <= 49; day += 1) {
      time += 86_400_000
      out = corrector.correct(time)
    }
    expect(out).toBe(49 * 86_400_000)
    const missing = 2 ** 32 - out
    corrector.correct(time + missing - 10)
    corrector.mode = 'full'
    expect(corrector.correct(time + missing - 1)).toBe(2 ** 32 - 1)
    expect(corrector.correct(time + missing)).toBe(0)
    expect(corrector.current).toBe(0)
    expect(corrector.correct(time + missing - 5)).toBe(0)
    expect(corrector.correct(time + missing + 40)).toBe(40)
  })
})

describe('zero', () => {
  test.each<[string, number[], number[]]>([
    ['starts at 0', [5000, 5040], [0, 40]],
    ['keeps jumps', [0, 10_000, 10_040], [0, 10_000, 10_040]],
    ['keeps steps back', [0, 100, 60, 140], [0, 100, 60, 140]],
    ['does not go below 0', [100, 50, 90], [0, 0, 40]],
    ['goes through the end of 31 bits', [2 ** 31 - 20, 20], [0, 40]],
  ])('%s', (_, sent, expected) => {
    expect(corrected('zero', sent)).toStrictEqual(expected)
  })
})

describe('off', () => {
  test('leaves everything as it is', () => {
    const sent = [5000, 4000, 2 ** 32 - 1, 0, 2 ** 31]
    expect(corrected('off', sent)).toStrictEqual(sent)
  })
})

describe('another publisher', () => {
  test.each<[TimeJitter, number[]]>([
    ['full', [80, 120]],
    ['zero', [80, 120]],
    ['off', [9000, 9040]],
  ])('%s', (mode, expected) => {
    const corrector = new TimestampCorrector(mode)
    for (const time of [100, 140]) corrector.correct(time)
    corrector.restart()
    expect([9000, 9040].map((time) => corrector.correct(time))).toStrictEqual(expected)
  })

  test('is the first one if nothing came before', () => {
    const corrector = new TimestampCorrector('full')
    corrector.restart()
    expect(corrector.correct(5000)).toBe(0)
  })
})

describe('the mode', () => {
  test('can change while the stream goes on', () => {
    const corrector = new TimestampCorrector('full')
    expect([1000, 1040].map((time) => corrector.correct(time))).toStrictEqual([0, 40])
    corrector.mode = 'off'
    expect(corrector.correct(1080)).toBe(1080)
    corrector.mode = 'full'
    expect([1120, 1160].map((time) => corrector.correct(time))).toStrictEqual([1120, 1160])
    expect(corrector.mode).toBe('full')
  })
})

test('the current time is that of the newest packet', () => {
  const corrector = new TimestampCorrector('full')
  expect(corrector.current).toBe(0)
  for (const time of [1000, 1040, 1020]) corrector.correct(time)
  expect(corrector.current).toBe(40)
})
