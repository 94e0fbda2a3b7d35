import { expect, onTestFinished, test, vi } from 'vitest'
import { isNode } from '../../../src/access/node-token.ts'
import { ClusterHlsUpstreams } from '../../../src/http/edge/cluster-upstreams.ts'
import { vhostConfigOf } from '../../support/config.ts'

const key = { vhost: '__defaultVhost__', app: 'live', stream: 'show' }
const hls = 'hls { enabled on; }'

function setUp(owner = 'http://192.0.2.1:8080') {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const asked: string[] = []
  const owners = {
    isClustered: true,
    clusterSecret: '',
    owner,
    httpOwnerOf: (stream: string) => {
      asked.push(stream)
      return Promise.resolve(owners.owner)
    },
  }
  return { upstreams: new ClusterHlsUpstreams(owners), owners, asked }
}

test('a stream of another node is had from there, and its place is asked for once in a while', async () => {
  const { upstreams, owners, asked } = setUp()
  const vhost = vhostConfigOf(hls)
  expect(upstreams.concerns(vhost)).toBe(true)
  const find = () => upstreams.hlsUpstreamsOf(key, vhost)
  expect(await Promise.all([find(), find()])).toStrictEqual(Array(2).fill(['http://192.0.2.1:8080']))
  expect(asked).toStrictEqual(['__defaultVhost__/live/show'])
  owners.owner = ''
  vi.advanceTimersByTime(1999)
  expect(await find()).toStrictEqual(['http://192.0.2.1:8080'])
  vi.advanceTimersByTime(1)
  expect(await find()).toBeNull()
  expect(asked).toHaveLength(2)
})

test.each([
  ['without HLS', ''],
  ['of an edge', `${hls} cluster { mode remote; origin 192.0.2.1; }`],
])('nobody is asked about a virtual host %s', (_what, section) => {
  const { upstreams, asked } = setUp()
  const vhost = vhostConfigOf(section)
  expect(upstreams.concerns(vhost)).toBe(false)
  expect(upstreams.hlsUpstreamsOf(key, vhost)).toBeNull()
  expect(asked).toStrictEqual([])
})

test('a server that is alone asks nobody', () => {
  const { upstreams, owners } = setUp()
  owners.isClustered = false
  expect(upstreams.concerns(vhostConfigOf(hls))).toBe(false)
})

test('hls_origin comes first, and nobody can tell whose a file without a name is', () => {
  const { upstreams, asked } = setUp()
  const vhost = vhostConfigOf(`${hls} cluster { hls_origin http://192.0.2.9; }`)
  expect(upstreams.hlsUpstreamsOf(key, vhost)).toStrictEqual(['http://192.0.2.9'])
  expect(upstreams.hlsUpstreamsOf(null, vhostConfigOf(hls))).toBeNull()
  expect(asked).toStrictEqual([])
})

test('nodes are told what lets this one in, and servers of hls_origin are not', () => {
  const { upstreams, owners } = setUp()
  expect(upstreams.credentialsFor(key, vhostConfigOf(hls))).toBe('')
  owners.clusterSecret = 'sixteen-letters-'
  const param = upstreams.credentialsFor(key, vhostConfigOf(hls))
  expect(isNode({ ...key, param }, owners.clusterSecret)).toBe(true)
  const configured = vhostConfigOf(`${hls} cluster { hls_origin http://192.0.2.9; }`)
  expect(upstreams.credentialsFor(key, configured)).toBe('')
  expect(upstreams.credentialsFor(null, vhostConfigOf(hls))).toBe('')
})
