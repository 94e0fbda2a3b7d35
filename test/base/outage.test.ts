import { expect, test } from 'vitest'
import { Outage } from '../../src/base/outage.ts'

test('of the failures in a row the first is told, and then one in ten minutes', () => {
  const outage = new Outage()
  expect(outage.end()).toBe(0)
  const told = Array.from({ length: 500 }, (_, index) => outage.fail(1000 + index * 3000))
  expect(told.flatMap((isTold, index) => (isTold ? [index] : []))).toStrictEqual([0, 200, 400])
  expect(outage.failures).toBe(500)
  expect(outage.end()).toBe(500)
  expect(outage.end()).toBe(0)
  expect(outage.fail(1_500_000)).toBe(true)
})
