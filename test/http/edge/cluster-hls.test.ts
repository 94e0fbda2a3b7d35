import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ClusterHls } from '../../../src/http/edge/cluster-hls.ts'
import { Locator } from '../../../src/worker/locator.ts'
import { configOf } from '../../support/config.ts'

const redis = 'registry redis; node a; advertise rtmp://a:1935;'
const stream = { vhost: '__defaultVhost__', app: 'live', stream: 'x' }

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

/** Upstreams whose master knows a node by its HTTP address. */
function setUp({ cluster = redis, vhost = 'hls { enabled on; }', http = 'http://b:8080' } = {}) {
  const config = configOf(`cluster { ${cluster} } vhost __defaultVhost__ { ${vhost} }`)
  let asked = 0
  const locator: Locator = new Locator((message) => {
    if (message.t !== 'locate') return
    asked += 1
    const place = { node: http && 'b', rtmp: http && 'rtmp://b', http }
    queueMicrotask(() => locator.onLocated({ t: 'located', request: message.request, ...place }))
  })
  const upstreams = new ClusterHls(() => config, locator)
  return { upstreams, vhost: config.vhosts.__defaultVhost__!, asked: () => asked }
}

test('the HLS of a stream is that of the node that owns it, which is asked for once a second', async () => {
  const { upstreams, vhost, asked } = setUp()
  expect(upstreams.concerns(vhost)).toBe(true)
  const find = () => upstreams.hlsUpstreamsOf(stream, vhost)
  expect(await Promise.all([find(), find()])).toStrictEqual([['http://b:8080'], ['http://b:8080']])
  vi.advanceTimersByTime(900)
  await find()
  expect(asked()).toBe(1)
  vi.advanceTimersByTime(200)
  await find()
  expect(asked()).toBe(2)
})

test('a stream of this node, and one whose node has told no HTTP address, is here', async () => {
  const { upstreams, vhost } = setUp({ http: '' })
  expect(await upstreams.hlsUpstreamsOf(stream, vhost)).toBeNull()
})

test('a file that does not say whose it is, is here', async () => {
  const { upstreams, vhost, asked } = setUp()
  expect(await upstreams.hlsUpstreamsOf(null, vhost)).toBeNull()
  expect(asked()).toBe(0)
})

test('what hls_origin says comes first', async () => {
  const { upstreams, vhost, asked } = setUp({
    vhost: 'hls { enabled on; } cluster { hls_origin http://c:8080; }',
  })
  expect(await upstreams.hlsUpstreamsOf(stream, vhost)).toStrictEqual(['http://c:8080'])
  expect(asked()).toBe(0)
})

test.each([
  { cluster: '', vhost: 'hls { enabled on; }' },
  { cluster: redis, vhost: '' },
  { cluster: redis, vhost: 'hls { enabled on; } cluster { mode remote; origin a; }' },
])('nothing is looked at with %o', async (options) => {
  const { upstreams, vhost, asked } = setUp(options)
  expect(upstreams.concerns(vhost)).toBe(false)
  expect(await upstreams.hlsUpstreamsOf(stream, vhost)).toBeNull()
  expect(asked()).toBe(0)
})
