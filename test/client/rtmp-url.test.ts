import { expect, test } from 'vitest'
import { parseRtmpUrl } from '../../src/client/rtmp-url.ts'

const plain = {
  secure: false,
  host: 'h',
  port: 1935,
  app: 'live',
  stream: 'one',
  tcUrl: 'rtmp://h:1935/live',
}

test.each([
  ['rtmp://h/live/one', {}],
  ['rtmp://h:1936/live/one', { port: 1936, tcUrl: 'rtmp://h:1936/live' }],
  ['rtmp://[::1]/live/one', { host: '::1', tcUrl: 'rtmp://[::1]:1935/live' }],
  ['rtmp://[::1]:1936/live/one', { host: '::1', port: 1936, tcUrl: 'rtmp://[::1]:1936/live' }],
  ['rtmp://h/live/room/one', { app: 'live/room', tcUrl: 'rtmp://h:1935/live/room' }],
  ['rtmp://h/live/one?token=a/b&x=%20', { stream: 'one?token=a/b&x=%20' }],
  ['rtmp://h/live?vhost=v/one', { app: 'live?vhost=v', tcUrl: 'rtmp://h:1935/live?vhost=v' }],
  ['RTMP://h/live/mp4:one', { stream: 'mp4:one' }],
  ['rtmps://h/live/one', { secure: true, port: 443, tcUrl: 'rtmps://h:443/live' }],
  ['RTMPS://h:1443/live/one', { secure: true, port: 1443, tcUrl: 'rtmps://h:1443/live' }],
])('%s', (url, differs) => {
  expect(parseRtmpUrl(url)).toEqual({ ...plain, ...differs })
})

test.each([
  'h/live/one',
  'http://h/live/one',
  'rtmpss://h/live/one',
  'rtmp://h',
  'rtmp://h/one',
  'rtmp://h/one?x=1',
  'rtmp://h/live/',
  'rtmp://h/live/?x=1',
  'rtmp://h//one',
  'rtmp://h:0/live/one',
  'rtmp://h:70000/live/one',
  'rtmp:///live/one',
  'rtmp://::1/live/one',
])('%s is refused', (url) => {
  expect(() => parseRtmpUrl(url)).toThrow(expect.objectContaining({ code: 'RTMP_NAME' }))
})
