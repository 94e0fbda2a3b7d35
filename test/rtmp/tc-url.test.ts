import { expect, test } from 'vitest'
import { parseTcUrl, type TcUrl } from '../../src/rtmp/tc-url.ts'

const plain: TcUrl = {
  schema: 'rtmp',
  host: 'example.com',
  port: 1935,
  vhost: 'example.com',
  app: 'live',
  stream: 'one',
  param: '',
}
const url = 'rtmp://example.com/live'

/** tcUrl, app, stream beside what differs from {@link plain}. */
const table: [tcUrl: string, app: string, stream: string | null, differs: Partial<TcUrl>][] = [
  [url, 'live', 'one', {}],
  [url, 'live', null, { stream: '' }],
  ['rtmp://example.com:19350/live', 'live', 'one', { port: 19350 }],
  ['RTMPS://example.com/live', 'live', 'one', { schema: 'rtmps' }],
  ['rtmp://user:secret@example.com/live', 'live', 'one', {}],
  ['rtmp://192.0.2.7:1935/live', 'live', 'one', { host: '192.0.2.7', vhost: '192.0.2.7' }],
  ['rtmp://localhost/live', 'live', 'one', { host: 'localhost', vhost: 'localhost' }],
  ['rtmp://[::1]:1936/live', 'live', 'one', { host: '::1', vhost: '::1', port: 1936 }],
  ['rtmp://[2001:db8::7]/live', 'live', 'one', { host: '2001:db8::7', vhost: '2001:db8::7' }],
  ['', 'live', 'one', { host: '', vhost: '__defaultVhost__' }],
  ['rtmp://:1935/live', 'live', 'one', { host: '', vhost: '__defaultVhost__' }],
  // The application: of the command, else of the URL.
  [url, '', 'one', {}],
  ['rtmp://example.com/live?vhost=v', '', 'one', { vhost: 'v', param: '?vhost=v' }],
  [url, 'live/', 'one', {}],
  [url, '/live', 'one', {}],
  [url, 'live/room1', 'one', { app: 'live/room1' }],
  [url, 'live/_definst_', 'one', {}],
  [url, 'live/_definst_/', 'one', {}],
  [url, 'live/my_definst_', 'one', { app: 'live/my_definst_' }],
  // The virtual host.
  [url, 'live?vhost=v.example', 'one', { vhost: 'v.example', param: '?vhost=v.example' }],
  [url, 'live?a=1&vhost=v.example', 'one', { vhost: 'v.example', param: '?a=1&vhost=v.example' }],
  [url, 'live&vhost=v.example', 'one', { vhost: 'v.example', param: '?vhost=v.example' }],
  [url, 'live...vhost...v.example', 'one', { vhost: 'v.example', param: '?vhost=v.example' }],
  [url, 'live?a=1...vhost...v.example', 'one', { vhost: 'v.example', param: '?a=1&vhost=v.example' }],
  [
    url,
    'live?vhost=v.example/room1',
    'one',
    { vhost: 'v.example', app: 'live/room1', param: '?vhost=v.example' },
  ],
  [url, 'live?vhost=v.example/_definst_', 'one', { vhost: 'v.example', param: '?vhost=v.example' }],
  [url, 'live?vhost=v/r&a=1', 'one', { vhost: 'v', app: 'live/r', param: '?vhost=v&a=1' }],
  [url, 'live?a=b/c', 'one', { param: '?a=b/c' }],
  [url, 'live', 'one?vhost=v.example', { vhost: 'v.example', param: '?vhost=v.example' }],
  [url, 'live', 'one&vhost=v.example', { vhost: 'v.example', param: '?vhost=v.example' }],
  [
    url,
    'live?vhost=of-app',
    'one?vhost=of-stream',
    { vhost: 'of-stream', param: '?vhost=of-stream&vhost=of-app' },
  ],
  [url, 'live?domain=v.example', 'one', { param: '?domain=v.example' }],
  [url, 'live?vhost=', 'one', { param: '?vhost=' }],
  [url, 'live?myvhost=v', 'one', { param: '?myvhost=v' }],
  // Queries stay as they came, names are decoded once.
  [url, 'live', 'one?token=a%20b&sign=x/y==', { param: '?token=a%20b&sign=x/y==' }],
  [url, 'live?token=1', 'one?sign=2', { param: '?sign=2&token=1' }],
  [url, 'live', 'one?', {}],
  [url, 'live%20show', 'caf%C3%A9', { app: 'live show', stream: 'café' }],
  [url, 'live', 'a%2520b', { stream: 'a%20b' }],
  [url, 'live?vhost=v%2Eexample', 'one', { vhost: 'v.example', param: '?vhost=v%2Eexample' }],
  [url, 'live', 'mp4:movies/one', { stream: 'mp4:movies/one' }],
  [url, 'live', 'flv:one?x=1', { stream: 'flv:one', param: '?x=1' }],
]

test.each(table)('%s, %s, %s', (tcUrl, app, stream, differs) => {
  expect(parseTcUrl(tcUrl, app, stream)).toEqual({ ...plain, ...differs })
})

const refused: [tcUrl: string, app: string, stream: string | null, code: string][] = [
  ['example.com/live', 'live', 'one', 'RTMP_COMMAND'],
  ['rtmp://example.com:0/live', 'live', 'one', 'RTMP_COMMAND'],
  ['rtmp://example.com:65536/live', 'live', 'one', 'RTMP_COMMAND'],
  ['rtmp://example.com:port/live', 'live', 'one', 'RTMP_COMMAND'],
  ['rtmp://[::1/live', 'live', 'one', 'RTMP_COMMAND'],
  ['rtmp://example.com', '', 'one', 'RTMP_NAME'],
  [url, '/', 'one', 'RTMP_NAME'],
  [url, 'live', '', 'RTMP_NAME'],
  [url, 'live', '?token=1', 'RTMP_NAME'],
  [url, 'live', '../one', 'RTMP_NAME'],
  [url, 'live', '%2e%2e%2fone', 'RTMP_NAME'],
  [url, 'live/../x', 'one', 'RTMP_NAME'],
  [url, 'live', '/one', 'RTMP_NAME'],
  [url, 'live', 'a%00', 'RTMP_NAME'],
  [url, 'live', '50%', 'RTMP_NAME'],
  [url, 'live?vhost=..', 'one', 'RTMP_NAME'],
  [url, 'live?vhost=%2e%2e%2fetc', 'one', 'RTMP_NAME'],
  ['rtmp://../live', 'live', 'one', 'RTMP_NAME'],
  [`${url}${'/'.repeat(9000)}`, 'live', 'one', 'RTMP_NAME'],
  [url, 'live', `one?token=${'x'.repeat(9000)}`, 'RTMP_NAME'],
]

test.each(refused)('%s, %s, %s is refused', (tcUrl, app, stream, code) => {
  expect(() => parseTcUrl(tcUrl, app, stream)).toThrow(expect.objectContaining({ code }))
})
