import { expect, test } from 'vitest'
import { upstreamUrl } from '../../../src/backsource/upstream/upstream-url.ts'

test.each([
  ['rtmp://a:1935', '__defaultVhost__/live/x', '[vhost]', { url: 'rtmp://a:1935/live/x' }],
  [
    'rtmp://a:1936',
    'tv.example/live/x',
    '[vhost]',
    { url: 'rtmp://a:1936/live/x', tcUrl: 'rtmp://tv.example:1936/live' },
  ],
  [
    'rtmp://a:1935',
    'tv.example/live/room/x',
    'origin.[vhost]',
    { url: 'rtmp://a:1935/live/room/x', tcUrl: 'rtmp://origin.tv.example:1935/live/room' },
  ],
  [
    'rtmp://[::1]:1935',
    '__defaultVhost__/live/x',
    'tv.example',
    { url: 'rtmp://[::1]:1935/live/x', tcUrl: 'rtmp://tv.example:1935/live' },
  ],
  [
    'rtmp://a:1935',
    '__defaultVhost__/live/50 %?&#',
    '[vhost]',
    { url: 'rtmp://a:1935/live/50%20%25%3F%26%23' },
  ],
  [
    'rtmps://a:443',
    'tv.example/live/x',
    '[vhost]',
    { url: 'rtmps://a:443/live/x', tcUrl: 'rtmps://tv.example:443/live' },
  ],
  ['https://a:443', '__defaultVhost__/live/x', '[vhost]', { url: 'https://a:443/live/x.flv' }],
  ['http://a:80', '__defaultVhost__/live/a b', '[vhost]', { url: 'http://a:80/live/a%20b.flv' }],
  ['http://a:80', 'tv.example/live/x', '[vhost]', { url: 'http://a:80/live/x.flv?vhost=tv.example' }],
])('on %s, %s with %s', (address, stream, vhost, expected) => {
  expect(upstreamUrl(address, stream, vhost)).toStrictEqual(expected)
})
