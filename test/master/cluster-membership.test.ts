import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import type { StreamOwner } from '../../src/cluster/owner.ts'
import { ClusterMembership } from '../../src/master/cluster-membership.ts'
import { ClusterUpstreams } from '../../src/master/cluster-upstreams.ts'
import { configOf } from '../support/config.ts'
import { eventually } from '../support/eventually.ts'
import { recordingLogger } from '../support/logger.ts'
import { RedisServer } from '../support/redis-server.ts'

const stream = '__defaultVhost__/live/x'
let redis: RedisServer

beforeAll(async () => {
  redis = await RedisServer.start()
})
afterAll(() => redis.kill())
beforeEach(() => redis.ask((client) => client.flushall()))

/** Where all nodes are: something that accepts connections, so that none seems to be dead. */
const rtmp = () => `rtmp://127.0.0.1:${redis.port}`

const settings = (name: string, more = '') =>
  configOf(`cluster { registry redis; redis ${redis.url}; node ${name}; advertise ${rtmp()}; ${more} }`)
    .cluster

function member(bootId: string) {
  const { logger, lines } = recordingLogger()
  const lost: string[] = []
  const membership = new ClusterMembership(bootId, logger, {
    onLost: (which) => lost.push(which),
    onBegan: () => {},
  })
  onTestFinished(() => membership.close())
  return { membership, lost, lines }
}

type Member = ReturnType<typeof member>

/** Waits until a member is in contact with Redis. */
const joined = ({ membership }: Member): Promise<void> =>
  eventually(async () => expect(await membership.status(0, 1)).toMatchObject({ connected: true }))

const writtenAt = (prefix = 'weir') =>
  redis.ask((client) => client.hget(`${prefix}:stream:${stream}`, 'node'))

const owner = (node: string): StreamOwner => ({ node, rtmp: rtmp(), http: '' })

test('a server that works alone owns what it takes, and tells nothing', async () => {
  const { membership } = member('1')
  await membership.apply(configOf().cluster)
  expect(await membership.acquire(stream)).toBeNull()
  expect(await membership.locate(stream)).toBeNull()
  expect(await membership.status(0, 10)).toBeNull()
})

test('streams go along when a server joins, changes and leaves a cluster', async () => {
  const one = member('1')
  await one.membership.apply(configOf().cluster)
  await one.membership.acquire(stream)
  await one.membership.apply(settings('a'))
  await eventually(async () => expect(await writtenAt()).toBe('a'))

  const two = member('2')
  // It is never in contact for a whole lease: what it takes is not firm.
  await two.membership.apply(settings('b', 'lease 300;'))
  await joined(two)
  expect(await two.membership.acquire(stream)).toStrictEqual(owner('a'))

  // Another name, then another place.
  await one.membership.apply(settings('c'))
  await eventually(async () => expect(await writtenAt()).toBe('c'))
  await one.membership.apply(settings('c', 'prefix other;'))
  await eventually(async () => expect(await writtenAt('other')).toBe('c'))
  expect(await writtenAt()).toBeNull()
  await one.membership.apply(settings('c'))
  await eventually(async () => expect(await writtenAt()).toBe('c'))
  expect(one.lost).toStrictEqual([])

  // Alone again, it goes on with what it has, and others may have it too.
  await one.membership.apply(configOf().cluster)
  expect(await writtenAt()).toBeNull()
  expect(await two.membership.acquire(stream)).toBeNull()
  // Back in the cluster, it keeps what it has had for longer.
  await one.membership.apply(settings('a'))
  await eventually(async () => expect(await writtenAt()).toBe('a'))
  expect(one.lost).toStrictEqual([])
  await two.membership.apply(settings('b', 'lease 200;'))
  await eventually(() => expect(two.lost).toStrictEqual([stream]))
})

test('the same settings change nothing', async () => {
  const { membership, lines } = member('1')
  await membership.apply(settings('a'))
  await membership.apply(settings('a'))
  expect(lines.filter(({ msg }) => msg === 'cluster: joined').length).toBe(1)
})

test('a publish that is being asked about when the settings change is asked about again', async () => {
  const [one, two] = [member('1'), member('2')]
  await two.membership.apply(settings('b'))
  await joined(two)
  await two.membership.acquire(stream)
  await one.membership.apply(configOf('cluster { prefix x; }').cluster)
  const applied = one.membership.apply(settings('a'))
  await applied
  const answer = one.membership.acquire(stream)
  await one.membership.apply(settings('a', 'lease 5;'))
  expect(await answer).toStrictEqual(owner('b'))
})

test('a stream is pulled from its owner, unless its virtual host is that of an edge', async () => {
  const [one, two] = [member('1'), member('2')]
  await Promise.all([one.membership.apply(settings('a')), two.membership.apply(settings('b'))])
  await Promise.all([joined(one), joined(two)])
  await one.membership.acquire(stream)
  let origins: string[] | null = null
  const edge = { pullFor: async () => origins, pushFor: async () => ['rtmp://edge'] }
  const upstreams = [one, two].map(({ membership }) => new ClusterUpstreams(edge, membership))
  // Nobody pulls from itself.
  expect(await upstreams[0]!.pullFor(stream)).toBeNull()
  expect(await upstreams[1]!.pullFor(stream)).toStrictEqual([rtmp()])
  origins = ['rtmp://edge']
  expect(await upstreams[1]!.pullFor(stream)).toStrictEqual(['rtmp://edge'])
  expect(await upstreams[1]!.pushFor(stream)).toStrictEqual(['rtmp://edge'])
})
