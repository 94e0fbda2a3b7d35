import { expect, test } from 'vitest'
import { matchesStream } from '../../src/access/stream-pattern.ts'

test.each([
  ['live/show', 'live/show', true],
  ['live/show', 'live/show2', false],
  ['live/show', 'Live/show', false],
  ['*', 'live/show', true],
  ['*', 'a/b/c', true],
  ['live/*', 'live/show', true],
  ['live/*', 'live/room/show', false],
  ['live/*', 'live', false],
  ['*/show', 'live/show', true],
  ['*/*', 'live/show', true],
  ['*/*', 'a/b/c', false],
  ['live/cam-*', 'live/cam-', true],
  ['live/cam-*', 'live/cam-7', true],
  ['live/cam-*', 'live/cab-7', false],
  ['live/*-hd', 'live/cam-hd', true],
  ['live/*-hd', 'live/cam-hd-2', false],
  ['live/a*b*c', 'live/a1b2c', true],
  ['live/a*b*c', 'live/abc', true],
  ['live/a*b*c', 'live/acb', false],
  ['live/aba*aba', 'live/aba', false],
  ['live/**', 'live/x', true],
  ['live/.*', 'live/x', false],
  ['', 'live/x', false],
  ['a'.repeat(2000), 'a'.repeat(2000), false],
])('%s, %s: %s', (pattern, name, matches) => {
  expect(matchesStream(pattern, name)).toBe(matches)
})

test('a hostile pattern takes no time that grows without measure', () => {
  const pattern = `live/${'a*'.repeat(500)}b`
  expect(matchesStream(pattern, `live/${'a'.repeat(250)}`)).toBe(false)
})
