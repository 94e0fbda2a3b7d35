import { resolve } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { WeirError } from '../../src/base/errors.ts'
import { checkName, decodeName, maxNameBytes } from '../../src/rtmp/names.ts'

const good = [
  'livestream',
  'a/b/c',
  'mp4:movies/one',
  'flv:x',
  '::1',
  '192.0.2.1',
  'demo.example.com',
  '__defaultVhost__',
  'a..b',
  '...',
  'name with spaces & <angles>',
  '直播',
  'ü'.repeat(127),
  'x'.repeat(maxNameBytes),
]

test.each(good)('%j is a name', (name) => {
  expect(checkName('stream', name)).toBe(name)
})

const bad = [
  ['', /stream name is empty/],
  ['x'.repeat(maxNameBytes + 1), /longer than 255 bytes/],
  ['ü'.repeat(128), /longer than 255 bytes/],
  ['..', /path segment/],
  ['.', /path segment/],
  ['a/../b', /path segment/],
  ['a/..', /path segment/],
  ['/etc/passwd', /path segment/],
  ['a//b', /path segment/],
  ['a/', /path segment/],
  ['mp4:../../x', /path segment/],
  ['mp4:/x', /path segment/],
  ['mp4:', /path segment/],
  ['a\0b', /forbidden character/],
  ['a\nb', /forbidden character/],
  ['a\u007fb', /forbidden character/],
  ['a\u009bb', /forbidden character/],
  ['a\\b', /forbidden character/],
] as const

test.each(bad)('%j is refused', (name, message) => {
  expect(() => checkName('stream', name)).toThrow(message)
  expect(() => checkName('stream', name)).toThrow(expect.objectContaining({ code: 'RTMP_NAME' }))
})

test('the error names the kind of name', () => {
  expect(() => checkName('vhost', '')).toThrow('vhost name is empty')
})

test('percent-encoding is decoded once', () => {
  expect(decodeName('app', 'a%20b')).toBe('a b')
  expect(decodeName('app', 'a%2520b')).toBe('a%20b')
  for (const encoded of ['100%', '%zz', '%ff', '%c3']) {
    expect(() => decodeName('app', encoded)).toThrow(expect.objectContaining({ code: 'RTMP_NAME' }))
  }
})

test('a name that passes stays inside its directory, whatever it is', () => {
  const parts = fc.constantFrom('..', '.', '/', 'a', 'mp4:', '\\', '\0', ':')
  fc.assert(
    fc.property(fc.array(parts, { maxLength: 12 }), (pieces) => {
      const name = pieces.join('')
      try {
        checkName('stream', name)
      } catch (error) {
        if (error instanceof WeirError && error.code === 'RTMP_NAME') return
        throw error
      }
      for (const path of [name, name.replace(/^mp4:/, '')]) {
        expect(resolve('/root/dir', path).startsWith('/root/dir/')).toBe(true)
      }
    }),
  )
})
