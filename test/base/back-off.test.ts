import { expect, test } from 'vitest'
import { BackOff } from '../../src/base/back-off.ts'

const aLongLife = 10_000

test('waits longer each time a process does not live long, up to half a minute', () => {
  const backOff = new BackOff()
  const waits = Array.from({ length: 12 }, () => backOff.next(aLongLife - 1))
  expect(waits).toStrictEqual([0, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000])
})

test('stays at half a minute however often it happens', () => {
  const backOff = new BackOff()
  for (let failure = 0; failure < 5000; failure += 1) backOff.next(0)
  expect(backOff.next(0)).toBe(30_000)
})

test('begins anew after a long life', () => {
  const backOff = new BackOff()
  for (let failure = 0; failure < 5; failure += 1) backOff.next(0)
  expect(backOff.next(aLongLife)).toBe(0)
  expect([backOff.next(0), backOff.next(0)]).toStrictEqual([0, 100])
})

test('forgets failures that are long past', () => {
  const backOff = new BackOff()
  let now = 0
  for (let failure = 0; failure < 20; failure += 1) {
    expect(backOff.next(aLongLife - 1, now)).toBe(0)
    now += 120_000
  }
})

test('remembers failures that follow each other as closely as it lets them', () => {
  const backOff = new BackOff()
  let now = 0
  let waitMs = 0
  for (let failure = 0; failure < 20; failure += 1) {
    waitMs = backOff.next(aLongLife - 1, now)
    now += waitMs + aLongLife - 1
  }
  expect(waitMs).toBe(30_000)
})
