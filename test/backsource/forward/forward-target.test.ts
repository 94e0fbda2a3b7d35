import { describe, expect, test } from 'vitest'
import { targetOfUrl, targetOn } from '../../../src/backsource/forward/forward-target.ts'
import { parseRtmpUrl } from '../../../src/client/rtmp-url.ts'

describe('a destination of the configuration', () => {
  test.each([
    [
      '10.0.0.2',
      '__defaultVhost__/live/x',
      '',
      '10.0.0.2:1935',
      'rtmp://10.0.0.2:1935/live/x',
      'rtmp://10.0.0.2/live',
    ],
    [
      'b.example:1936',
      '__defaultVhost__/live/x',
      '?t=1',
      'b.example:1936',
      'rtmp://b.example:1936/live/x?t=1',
      'rtmp://b.example:1936/live',
    ],
    [
      'b.example:1936',
      'tv.example/live/x',
      '',
      'b.example:1936',
      'rtmp://b.example:1936/live/x',
      'rtmp://tv.example:1936/live',
    ],
    [
      '[::1]:1936',
      'tv.example/live/room/x',
      '',
      '[::1]:1936',
      'rtmp://[::1]:1936/live/room/x',
      'rtmp://tv.example:1936/live/room',
    ],
    [
      'rtmps://b',
      'tv.example/live/x',
      '?t=1',
      'b:443',
      'rtmps://b:443/live/x?t=1',
      'rtmps://tv.example/live',
    ],
    ['b', '__defaultVhost__/live/50% of?', '', 'b:1935', 'rtmp://b:1935/live/50%25%20of%3F', 'rtmp://b/live'],
  ])('%s of %s%s', (destination, stream, param, name, url, tcUrl) => {
    const target = targetOn(destination, stream, param)
    expect(target).toStrictEqual({ name, url, tcUrl })
    expect(() => parseRtmpUrl(url)).not.toThrow()
  })

  test.each(['', 'a b', 'rtmp://a/b', 'a:0', 'a:65536', '::1', 'a/b'])('%j is none', (destination) => {
    expect(() => targetOn(destination, '__defaultVhost__/live/x', '')).toThrow(
      expect.objectContaining({ code: 'FORWARD_DESTINATION' }),
    )
  })
})

describe('what a backend names', () => {
  test('is taken as it is, and told without the name of the stream', () => {
    const url = 'rtmp://cdn.example/live2/secret-key?a=b'
    expect(targetOfUrl(url)).toStrictEqual({ name: 'cdn.example:1935/live2', url })
    expect(targetOfUrl('rtmps://cdn.example/live/key')).toMatchObject({ name: 'cdn.example:443/live' })
    expect(targetOfUrl('RTMP://[::1]:1936/live/x')).toMatchObject({ name: '[::1]:1936/live' })
  })

  test.each(['', 'http://a/b/c', 'rtmp://a/b', 'rtmp://a/b/', 'a:1935', 'rtmp:///b/c'])(
    '%j is refused',
    (url) => {
      expect(() => targetOfUrl(url)).toThrow(expect.objectContaining({ code: 'FORWARD_DESTINATION' }))
    },
  )
})
