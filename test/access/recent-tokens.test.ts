import { expect, test } from 'vitest'
import { RecentTokens } from '../../src/access/recent-tokens.ts'

const start = 1_767_225_600_000
const claims = (exp: number) => ({ stream: 'live/show', exp })

test('a token is known for a minute', () => {
  const recent = new RecentTokens()
  const known = claims(start / 1000 + 3600)
  recent.add('a', known, start)
  expect(recent.get('a', start + 59_999)).toBe(known)
  expect(recent.get('b', start)).toBeNull()
  expect(recent.get('a', start + 60_000)).toBeNull()
})

test('but never longer than it holds', () => {
  const recent = new RecentTokens()
  recent.add('a', claims(start / 1000 + 10), start)
  expect(recent.get('a', start + 9999)).not.toBeNull()
  expect(recent.get('a', start + 10_000)).toBeNull()
})

test('one that is verified again is known for another minute', () => {
  const recent = new RecentTokens()
  recent.add('a', claims(start / 1000 + 3600), start)
  recent.add('a', claims(start / 1000 + 3600), start + 60_000)
  expect(recent.get('a', start + 119_999)).not.toBeNull()
})

test('of more than there is room for the oldest is forgotten', () => {
  const recent = new RecentTokens()
  for (let number = 0; number <= 4096; number += 1) recent.add(`t${number}`, claims(start), start)
  expect(recent.get('t0', start)).toBeNull()
  expect(recent.get('t1', start)).not.toBeNull()
  expect(recent.get('t4096', start)).not.toBeNull()
})
