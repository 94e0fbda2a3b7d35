import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HlsNames, type NameOptions } from '../../../src/media/hls/names.ts'

const defaults: NameOptions = {
  vhost: '__defaultVhost__',
  app: 'live',
  stream: 'show',
  root: './objs/html',
  playlist: '[app]/[stream].m3u8',
  segment: '[app]/[stream]-[seq].ts',
  entryPrefix: '',
  keyRoot: './objs/html',
  key: '[app]/[stream]-[seq].key',
  keyUrl: '',
  utc: true,
}

const seven = { seq: 7, durationMs: 9960.4, timestamp: 123, atMs: Date.UTC(2024, 1, 3, 4, 5, 6, 7) }

describe.each<[string, Partial<NameOptions>, { file: string; uri: string }]>([
  ['the defaults', {}, { file: 'objs/html/live/show-7.ts', uri: 'show-7.ts' }],
  [
    'segments elsewhere',
    { segment: 'ts/[2006]/[01]-[02]/[stream]-[timestamp]-[duration].ts' },
    {
      file: 'objs/html/ts/2024/02-03/show-123-9960.ts',
      uri: '../ts/2024/02-03/show-123-9960.ts',
    },
  ],
  [
    'a prefix',
    { entryPrefix: 'https://cdn.example/x/' },
    { file: 'objs/html/live/show-7.ts', uri: 'https://cdn.example/x/live/show-7.ts' },
  ],
  [
    'names that need escaping',
    { app: 'a b', stream: '50%?#é:1' },
    {
      file: 'objs/html/a b/50%?#é:1-7.ts',
      uri: '50%25%3F%23%C3%A9%3A1-7.ts',
    },
  ],
])('a segment, with %s', (_, options, expected) => {
  test('has a file and a URI', () => {
    expect(new HlsNames({ ...defaults, ...options }).segment(seven)).toEqual(expected)
  })

  test('is found again by its URI', () => {
    const names = new HlsNames({ ...defaults, ...options })
    expect(names.segmentFile(expected.uri)).toBe(expected.file)
  })
})

describe('a key', () => {
  test.each<[Partial<NameOptions>, string, string]>([
    [{}, 'objs/html/live/show-7.key', 'show-7.key'],
    [
      { keyRoot: '/secret', keyUrl: 'https://keys.example' },
      '/secret/live/show-7.key',
      'https://keys.example/live/show-7.key',
    ],
    [{ root: '/srv/hls', keyRoot: '/srv/keys' }, '/srv/keys/live/show-7.key', 'show-7.key'],
  ])('%j', (options, file, uri) => {
    const names = new HlsNames({ ...defaults, ...options })
    expect(names.key(7)).toMatchObject({ file, uri })
    expect(names.keyFile(uri)).toBe(file)
  })
})

test('the playlist', () => {
  expect(new HlsNames(defaults)).toMatchObject({
    playlistPath: 'live/show.m3u8',
    playlistFile: 'objs/html/live/show.m3u8',
  })
  expect(() => new HlsNames({ ...defaults, playlist: '../[stream].m3u8' })).toThrow(
    expect.objectContaining({ code: 'PATH_TEMPLATE' }),
  )
})

describe('a URI of a file that is not below the directory is none of ours', () => {
  test.each([
    '../../etc/passwd',
    '..%2f..%2f..%2fetc%2fpasswd',
    '/etc/passwd',
    'file:///etc/passwd',
    'http://elsewhere/x.ts',
    '%zz',
    '..',
    '../',
  ])('%s', (uri) => {
    expect(new HlsNames(defaults).segmentFile(uri)).toBeNull()
  })

  test('nor is one behind another prefix', () => {
    const names = new HlsNames({ ...defaults, entryPrefix: 'https://a.example' })
    expect(names.segmentFile('https://b.example/live/show-1.ts')).toBeNull()
    expect(names.segmentFile('https://a.example/../../etc/passwd')).toBeNull()
  })
})

test('whatever a stream is called, a segment is below the directory and found again', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), fc.constantFrom('', 'http://cdn'), (app, stream, entryPrefix) => {
      let names: HlsNames
      try {
        names = new HlsNames({ ...defaults, app, stream, entryPrefix })
      } catch (error) {
        expect(error).toMatchObject({ code: 'PATH_TEMPLATE' })
        return
      }
      const { file, uri } = names.segment(seven)
      expect(file.startsWith('objs/html/')).toBe(true)
      expect(file).not.toContain('/../')
      expect(uri).not.toMatch(/[\s"]/)
      expect(names.segmentFile(uri)).toBe(file)
    }),
  )
})
