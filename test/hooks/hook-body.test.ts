import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { fileUrl, notifyUrl } from '../../src/hooks/hls-notify.ts'
import { hookBody, hookHeaders } from '../../src/hooks/hook-body.ts'
import { signatureHeaders } from '../../src/hooks/hook-signature.ts'
import { streamTag } from '../../src/live/stream-key.ts'

const identity = { server: 'vid-a', service: 'run-1' }
const subject = {
  ...{ clientId: 'c1', ip: '10.0.0.1', vhost: '__defaultVhost__', app: 'live' },
  ...{ stream: 'x', param: '?token=1' },
}

describe('the JSON', () => {
  test('of a stream has what SRS has', () => {
    expect(JSON.parse(hookBody('on_publish', identity, subject, { tcUrl: 'rtmp://a/live' }))).toStrictEqual({
      ...{ server_id: 'vid-a', service_id: 'run-1', action: 'on_publish', client_id: 'c1', ip: '10.0.0.1' },
      ...{ vhost: '__defaultVhost__', app: 'live', tcUrl: 'rtmp://a/live', stream: 'x', param: '?token=1' },
      ...{ stream_url: '/live/x', stream_id: streamTag('__defaultVhost__/live/x') },
    })
  })

  test('of a connection has no stream', () => {
    const body = hookBody('on_close', identity, { ...subject, stream: '' }, { send_bytes: 1, recv_bytes: 2 })
    expect(JSON.parse(body)).toStrictEqual({
      ...{ server_id: 'vid-a', service_id: 'run-1', action: 'on_close', client_id: 'c1', ip: '10.0.0.1' },
      ...{ vhost: '__defaultVhost__', app: 'live', send_bytes: 1, recv_bytes: 2 },
    })
  })

  test('names the virtual host in the URL of a stream', () => {
    const body = JSON.parse(hookBody('on_stop', identity, { ...subject, vhost: 'a.example' }))
    expect(body).toMatchObject({ stream_url: 'a.example/live/x', stream_id: streamTag('a.example/live/x') })
  })
})

describe('the signature', () => {
  test('is the HMAC-SHA256 of timestamp, dot and body', () => {
    const expected = createHmac('sha256', 'secret').update('1700000000.{"a":1}').digest('hex')
    expect(signatureHeaders('secret', '{"a":1}', 1_700_000_000_999)).toStrictEqual({
      'x-weir-timestamp': '1700000000',
      'x-weir-signature': `sha256=${expected}`,
    })
  })

  test('is left out without a secret', () => {
    expect(Object.keys(hookHeaders('', '{}'))).toStrictEqual(['content-type', 'user-agent'])
    expect(Object.keys(hookHeaders('s', '{}'))).toContain('x-weir-signature')
  })
})

describe('the address of a segment', () => {
  test('is its path below hls_path, or the URL that playlists have', () => {
    expect(fileUrl('./objs/html', './objs/html/live/x-1.ts')).toBe('live/x-1.ts')
    expect(fileUrl('./objs/html', 'objs/html/live/x-1.ts', 'x-1.ts')).toBe('live/x-1.ts')
    expect(fileUrl('./o', './o/live/x-1.ts', 'http://cdn/live/x-1.ts')).toBe('http://cdn/live/x-1.ts')
  })

  test.each([
    ['http://h/[app]/[stream]/[ts_url][param]', 'http://h/live/x/live/x-1.ts?token=1'],
    ['http://h/[server_id]/[ts_url]', 'http://h/vid-a/live/x-1.ts'],
    ['http://h/[other]/[app][app]', 'http://h/[other]/livelive'],
    ['http://h/plain', 'http://h/plain'],
  ])('%s is %s', (template, url) => {
    expect(notifyUrl(template, 'vid-a', subject, 'live/x-1.ts')).toBe(url)
  })

  test('has names in it that change nothing else', () => {
    const odd = { ...subject, app: 'a/b', stream: '[param]?x#y' }
    expect(notifyUrl('http://h/[app]/[stream]', 'v', odd, '')).toBe('http://h/a/b/%5Bparam%5D%3Fx%23y')
  })

  test('with hls_entry_prefix is that of the CDN', () => {
    const url = 'http://cdn/live/x-1.ts'
    expect(notifyUrl('http://h/[ts_url]', 'v', subject, url)).toBe(url)
    expect(notifyUrl('http://h/[stream]', 'v', subject, url)).toBe('http://h/x')
  })
})
