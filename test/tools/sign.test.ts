import { expect, test } from 'vitest'
import { signedQuery } from '../../src/access/signed-url.ts'
import { signUrl } from '../../src/tools/sign/sign-url.ts'
import { configOf } from '../support/config.ts'

const [ours, theirs] = ['the-secret-of-the-default', 'the-secret-of-a-test-vhost']
const config = configOf(`vhost __defaultVhost__ { auth { secret ${ours} an-older-secret-of-it; } }
  vhost a.test { auth { secret ${theirs}; } } vhost b.test { }`)
const options = { action: 'play', expires: 1_767_225_600 } as const

test.each([
  ['rtmp://127.0.0.1/live/show', '?', '__defaultVhost__/live/show', ours],
  ['rtmps://host:1443/live/show', '?', '__defaultVhost__/live/show', ours],
  ['rtmp://a.test/live/show', '?', 'a.test/live/show', theirs],
  ['rtmp://host/live/show?vhost=a.test', '&', 'a.test/live/show', theirs],
  ['rtmp://host/live?vhost=a.test/show', '&', 'a.test/live/show', theirs],
  ['rtmp://host/live/room/show', '?', '__defaultVhost__/live/room/show', ours],
  ['rtmp://host/live/a%20b', '?', '__defaultVhost__/live/a b', ours],
  ['http://host:8080/live/show.flv', '?', '__defaultVhost__/live/show', ours],
  ['https://a.test/live/room/show.m3u8', '?', 'a.test/live/room/show', theirs],
  ['ws://[::1]:8080/live/show.flv?vhost=a.test', '&', 'a.test/live/show', theirs],
  ['http://host/live/a%20b.ts', '?', '__defaultVhost__/live/a b', ours],
])('%s', (url, separator, stream, secret) => {
  expect(signUrl(config, url, options)).toBe(
    `${url}${separator}${signedQuery(secret, { ...options, stream })}`,
  )
})

test('with a secret of its own', () => {
  const secret = 'another-secret-altogether'
  const query = signedQuery(secret, { ...options, stream: 'b.test/live/x' })
  expect(signUrl(config, 'rtmp://b.test/live/x', { ...options, secret })).toBe(
    `rtmp://b.test/live/x?${query}`,
  )
})

test.each([
  ['rtmp://b.test/live/x', 'SIGN'],
  ['http://host/show.flv', 'SIGN'],
  ['http://host/live/show', 'SIGN'],
  ['ftp://host/live/show.flv', 'SIGN'],
  ['live/show', 'SIGN'],
  ['rtmp://host/live', 'RTMP_NAME'],
  ['http://host/live/%ff.flv', 'RTMP_NAME'],
])('%s cannot be signed: %s', (url, code) => {
  expect(() => signUrl(config, url, options)).toThrow(expect.objectContaining({ code }))
})

test('a virtual host that is not there', () => {
  expect(() => signUrl(configOf('vhost a.test { }'), 'rtmp://b.test/live/x', options)).toThrow(
    'no vhost b.test',
  )
})
