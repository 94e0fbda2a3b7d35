import { describe, expect, test } from 'vitest'
import { viewPlaylist } from '../../../../src/tools/bench/http/playlist-view.ts'

const media = '#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n#EXT-X-MEDIA-SEQUENCE:7\n'

describe('viewPlaylist', () => {
  test.each(['\n', '\r\n'])('a live playlist with lines that end in %j', (end) => {
    const text = `${media}#EXTINF:4.000,\na.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:2.5,\nb.ts`
    expect(viewPlaylist(text.replaceAll('\n', end))).toMatchObject({
      kind: 'media',
      targetMs: 4000,
      mediaSequence: 7,
      segments: [
        { uri: 'a.ts', discontinuity: false },
        { uri: 'b.ts', discontinuity: true },
      ],
      ended: false,
      isPlainTs: true,
    })
  })

  test('the first of several variants', () => {
    const text =
      '#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nlow/index.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\nhigh.m3u8\n'
    expect(viewPlaylist(text)).toStrictEqual({ kind: 'master', uri: 'low/index.m3u8' })
  })

  test.each([
    ['#EXT-X-ENDLIST', { ended: true }],
    ['#EXT-X-KEY:METHOD=AES-128,URI="k"', { isPlainTs: false }],
    ['#EXT-X-KEY:METHOD=NONE', { isPlainTs: true }],
    ['#EXT-X-MAP:URI="init.mp4"', { isPlainTs: false }],
  ])('%s', (line, expected) => {
    expect(viewPlaylist(`${media}${line}\n#EXTINF:4,\na.ts\n`)).toMatchObject(expected)
  })

  test.each([
    ['a page', '<html>'],
    ['nothing', ''],
    ['a playlist without a target duration', '#EXTM3U\n#EXTINF:4,\na.ts\n'],
  ])('%s is none', (_, text) => {
    expect(() => viewPlaylist(text)).toThrow(expect.objectContaining({ code: 'HLS_PLAYLIST' }))
  })
})
