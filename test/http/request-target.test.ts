import type { IncomingMessage } from 'node:http'
import { expect, test } from 'vitest'
import { requestTarget, urlAt } from '../../src/http/request-target.ts'

test.each([
  ['/live/x.flv', 'example.com', 'example.com', '/live/x.flv', ''],
  ['/live/x.flv?a=b&vhost=v', 'Example.COM:8080', 'example.com', '/live/x.flv', 'a=b&vhost=v'],
  ['/', '[2001:DB8::1]:8080', '2001:db8::1', '/', ''],
  ['/', '[::1]', '::1', '/', ''],
  ['http://other.example:80/a?b', 'example.com', 'other.example', '/a', 'b='],
  ['http://other.example', 'example.com', 'other.example', '/', ''],
  ['?a=b', undefined, '', '/', 'a=b'],
  ['*', 'a:b:c', '', '*', ''],
])('%s of the host %s', (url, hostHeader, host, path, query) => {
  const headers = hostHeader === undefined ? {} : { host: hostHeader }
  const target = requestTarget({ url, headers } as IncomingMessage)
  expect({ ...target, query: target.query.toString() }).toStrictEqual({ host, path, query })
})

test.each([
  ['/live/x.flv', '__defaultVhost__', '/live/x.flv'],
  ['/live/x.flv?token=T', 'tv.example', '/live/x.flv?token=T&vhost=tv.example'],
  ['http://tv.example/live/x.flv', 'tv.example', '/live/x.flv?vhost=tv.example'],
  ['/live/x.flv?vhost=tv', 'tv.example', '/live/x.flv?vhost=tv'],
])('%s of %s at another server is %s', (url, vhost, there) => {
  const request = { url, headers: { host: 'tv.example' } } as IncomingMessage
  expect(urlAt('http://192.0.2.1:8080', request, vhost)).toBe(`http://192.0.2.1:8080${there}`)
})
