import { expect, test } from 'vitest'
import { newId } from '../../src/base/ids.ts'

test.each([1, 8, 32])('an id of %i characters', (length) => {
  expect(newId(length)).toMatch(new RegExp(`^[0-9a-z]{${length}}$`))
})

test('an id has 8 characters if nothing is said, and is never the same', () => {
  const ids = Array.from({ length: 1000 }, () => newId())
  expect(new Set(ids).size).toBe(ids.length)
  expect(new Set(ids.map((id) => id.length))).toStrictEqual(new Set([8]))
})
