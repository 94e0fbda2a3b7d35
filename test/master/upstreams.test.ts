import { describe, expect, test } from 'vitest'
import { baseAddressOf, EdgeUpstreams } from '../../src/master/upstreams.ts'
import { configOf } from '../support/config.ts'

test.each([
  ['origin.example', 'rtmp://origin.example:1935'],
  ['192.0.2.1:19350', 'rtmp://192.0.2.1:19350'],
  ['[2001:db8::1]', 'rtmp://[2001:db8::1]:1935'],
  ['[2001:db8::1]:1936', 'rtmp://[2001:db8::1]:1936'],
  ['rtmp://a', 'rtmp://a:1935'],
  ['http://a', 'http://a:80'],
  ['http://a:8080', 'http://a:8080'],
  ['https://a', 'https://a:443'],
  ['rtmps://a', 'rtmps://a:443'],
  ['rtmps://[2001:db8::1]:1443', 'rtmps://[2001:db8::1]:1443'],
])('%s is at %s', (server, address) => {
  expect(baseAddressOf(server)).toBe(address)
})

describe('the upstreams of an edge', () => {
  const stream = 'tv.example/live/x'
  const upstreamsOf = (vhost: string) => {
    const config = configOf(`vhost tv.example { ${vhost} }`)
    return new EdgeUpstreams(() => config, { order: (addresses) => addresses.toReversed() })
  }

  test.each(['cluster { mode remote; origin a b; }', 'mode remote; origin a b;'])(
    'are those of %s',
    async (vhost) => {
      const upstreams = upstreamsOf(vhost)
      expect(await upstreams.pullFor(stream)).toStrictEqual(['rtmp://b:1935', 'rtmp://a:1935'])
    },
  )

  test.each(['', 'cluster { mode local; origin a; }'])('are none with %j', async (vhost) => {
    expect(await upstreamsOf(vhost).pullFor(stream)).toBeNull()
  })

  test('are none for a virtual host that is not there', async () => {
    expect(await upstreamsOf('mode remote; origin a;').pullFor('other/live/x')).toBeNull()
  })
})
