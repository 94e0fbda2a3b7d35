import { describe, expect, test } from 'vitest'
import { ticksOf, writeClockReference, writeTimeStamp } from '../../../src/media/ts/time-stamps.ts'
import { hex } from '../bytes.ts'

test.each([
  [0, 0],
  [1, 90],
  [2 ** 33 / 90, 0],
  [95_443_717, 8589934530],
  [95_443_718, 28],
  // Stream time that wraps at 2^32 ms wraps to where it would have come anyway.
  [2 ** 32, 0],
  [2 ** 32 + 1, 90],
  [-1, 2 ** 33 - 90],
  [2 ** 50, (2 ** 50 * 90) % 2 ** 33],
])('%d ms are %d ticks', (ms, ticks) => {
  expect(ticksOf(ms)).toBe(ticks)
})

describe('a time stamp', () => {
  test.each([
    [2, 0, '2100010001'],
    [3, 126_000, '310007d861'],
    [1, 2 ** 33 - 1, '1fffffffff'],
    [2, 2 ** 32, '2900010001'],
    [2, 2 ** 30, '2300010001'],
    [2, 2 ** 15, '2100030001'],
  ])('%d, %d', (marker, ticks, bytes) => {
    const target = Buffer.alloc(6, 0xee)
    expect(writeTimeStamp(target, 1, marker, ticks)).toBe(6)
    expect(target).toEqual(hex(`ee${bytes}`))
  })
})

describe('a clock reference', () => {
  test.each([
    [0, '000000007e00'],
    [1, '00000000fe00'],
    [63_000, '00007b0c7e00'],
    [2 ** 33 - 1, 'fffffffffe00'],
    [2 ** 32, '800000007e00'],
  ])('%d', (ticks, bytes) => {
    const target = Buffer.alloc(7, 0xee)
    expect(writeClockReference(target, 1, ticks)).toBe(7)
    expect(target).toEqual(hex(`ee${bytes}`))
  })
})
