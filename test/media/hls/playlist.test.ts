import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Playlist,
  type PlaylistSegment,
  parsePlaylist,
  writePlaylist,
} from '../../../src/media/hls/playlist.ts'

const key = { uri: 'show-3.key', iv: '000102030405060708090a0b0c0d0e0f' }

function segment(uri: string, more: Partial<PlaylistSegment> = {}): PlaylistSegment {
  return { uri, durationMs: 10_000, discontinuity: false, key: null, ...more }
}

const playlist: Playlist = {
  targetDuration: 15,
  mediaSequence: 2,
  discontinuitySequence: 1,
  segments: [
    segment('show-2.ts', { durationMs: 9960 }),
    segment('show-3.ts', { discontinuity: true, key }),
    segment('show-4.ts', { key }),
    segment('show-5.ts', { key: { ...key, iv: 'f'.repeat(32) } }),
    segment('show-6.ts', { durationMs: 40 }),
  ],
  expired: [
    { uri: 'show-0.ts', durationMs: 10_000, keyUri: null },
    { uri: 'show-1.ts', durationMs: 8000, keyUri: 'show-0.key' },
  ],
}

const text = `#EXTM3U
#EXT-X-VERSION:3
#EXT-X-TARGETDURATION:15
#EXT-X-MEDIA-SEQUENCE:2
#EXT-X-DISCONTINUITY-SEQUENCE:1
# expired 10.000 show-0.ts
# expired 8.000 show-1.ts show-0.key
#EXTINF:9.960,
show-2.ts
#EXT-X-DISCONTINUITY
#EXT-X-KEY:METHOD=AES-128,URI="show-3.key",IV=0x000102030405060708090a0b0c0d0e0f
#EXTINF:10.000,
show-3.ts
#EXTINF:10.000,
show-4.ts
#EXT-X-KEY:METHOD=AES-128,URI="show-3.key",IV=0xffffffffffffffffffffffffffffffff
#EXTINF:10.000,
show-5.ts
#EXT-X-KEY:METHOD=NONE
#EXTINF:0.040,
show-6.ts
`

test('a playlist is written as players want it', () => {
  expect(writePlaylist(playlist)).toBe(text)
})

test('and read again', () => {
  expect(parsePlaylist(text)).toEqual(playlist)
})

describe('what is no playlist', () => {
  test.each([
    ['nothing', ''],
    ['something else', 'hello\n'],
    ['one that was cut off', text.slice(0, -3)],
  ])('%s', (_, other) => {
    expect(parsePlaylist(other)).toBeNull()
  })
})

test('whatever is in it, it is read as it was written', () => {
  const uri = fc.stringMatching(/^[a-z0-9%/._-]{1,20}$/)
  const keyArbitrary = fc.option(fc.record({ uri, iv: fc.stringMatching(/^[0-9a-f]{32}$/) }))
  const number = fc.nat(1_000_000)
  const arbitrary: fc.Arbitrary<Playlist> = fc.record({
    targetDuration: number,
    mediaSequence: number,
    discontinuitySequence: number,
    segments: fc.array(
      fc.record({ uri, durationMs: number, discontinuity: fc.boolean(), key: keyArbitrary }),
    ),
    expired: fc.array(fc.record({ uri, durationMs: number, keyUri: fc.option(uri) })),
  })
  fc.assert(
    fc.property(arbitrary, (any) => {
      expect(parsePlaylist(writePlaylist(any))).toEqual(any)
    }),
  )
})
