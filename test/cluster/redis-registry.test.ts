import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { StreamOwner } from '../../src/cluster/owner.ts'
import { clusterNode } from '../support/cluster-node.ts'
import { eventually } from '../support/eventually.ts'
import { RedisServer } from '../support/redis-server.ts'

const stream = '__defaultVhost__/live/x'
let redis: RedisServer

const ready = (name: string, directives?: string) => clusterNode(name, redis.url, directives).ready()

beforeAll(async () => {
  redis = await RedisServer.start()
})
afterAll(() => redis.kill())
beforeEach(() => redis.ask((client) => client.flushall()))

const owner = (name: string): StreamOwner => ({ node: name, rtmp: `rtmp://${name}:1935`, http: '' })

/** How Redis has a stream; null: not at all. */
async function written(name = stream): Promise<Record<string, string> | null> {
  const fields = await redis.ask((client) => client.hgetall(`weir:stream:${name}`))
  return Object.keys(fields).length === 0 ? null : fields
}

describe('a stream', () => {
  test('is of who takes it, and the other one hears whose it is', async () => {
    const [a, b] = [await ready('a', 'advertise_http http://a:8080;'), await ready('b')]
    expect(await a.registry.acquire(stream)).toBeNull()
    expect(await a.registry.acquire(stream)).toBeNull()
    const whose = { ...owner('a'), http: 'http://a:8080' }
    expect(await b.registry.acquire(stream)).toStrictEqual(whose)
    expect(await b.registry.locate(stream)).toStrictEqual(whose)
    expect(await a.registry.locate(stream)).toBeNull()
    expect(b.registry.held.size).toBe(0)
  })

  test('that nobody has is nowhere', async () => {
    const a = await ready('a')
    expect(await a.registry.locate(stream)).toBeNull()
  })

  test('that was given back is anybody’s', async () => {
    const [a, b] = [await ready('a'), await ready('b')]
    await a.registry.acquire(stream)
    a.registry.release(stream)
    await eventually(async () => expect(await b.registry.acquire(stream)).toBeNull())
    a.registry.release(stream)
    expect(await a.registry.acquire(stream)).toStrictEqual(owner('b'))
  })

  test('is told to all nodes when it has a new owner, and not when its lease is renewed', async () => {
    const [a, b] = [await ready('a'), await ready('b')]
    await a.registry.acquire(stream)
    await eventually(() => expect(b.began).toStrictEqual([null, stream]))
    const before = await redis.ask((client) => client.pttl(`weir:stream:${stream}`))
    expect(before).toBeGreaterThan(0)
    await eventually(async () => expect((await written())!.firm).toBe('1'))
    expect(b.began).toStrictEqual([null, stream])
  })

  test('stays its owner’s for longer than a lease', async () => {
    const [a, b] = [await ready('a'), await ready('b')]
    await a.registry.acquire(stream)
    // Firm is what was renewed after a lease.
    await eventually(async () => expect((await written())!.firm).toBe('1'))
    expect(await b.registry.acquire(stream)).toStrictEqual(owner('a'))
    expect(a.lost).toStrictEqual([])
  })

  test('of a node that is gone can be had after the lease', async () => {
    const [a, b] = [await ready('a'), await ready('b')]
    await redis.ask((client) =>
      client.hset(`weir:stream:${stream}`, {
        token: 't',
        boot: 'gone',
        node: 'gone',
        rtmp: 'rtmp://g',
        lease: '1000',
        firm: '1',
        since: '1',
        started: '1',
      }),
    )
    const lives = (ms: number) => redis.ask((client) => client.pexpire(`weir:stream:${stream}`, ms))
    await lives(100_000)
    expect(await a.registry.acquire(stream)).toMatchObject({ node: 'gone' })
    expect(await a.registry.refusedFor(stream)).toMatchObject({ node: 'gone' })
    // Overdue: its node may be dead.
    await lives(500)
    expect(await a.registry.refusedFor(stream)).toBeNull()
    expect(await b.registry.acquire(stream)).toBeNull()
    expect(await a.registry.refusedFor(stream)).toMatchObject({ node: 'b' })
    // And so it may when it accepts no connections: b renews its lease all the same.
    a.unreached.add('b')
    expect(await a.registry.refusedFor(stream)).toBeNull()
    expect(await a.registry.acquire(stream)).toStrictEqual(owner('b'))
  })

  test('that this node is asking for is heard of, and found at its owner, all the same', async () => {
    const b = await ready('b')
    const entry = { token: 't', boot: 'a', node: 'a', rtmp: 'rtmp://a:1935', http: '', firm: '1', since: '1' }
    await redis.ask(async (client) => {
      await client.hset(`weir:stream:${stream}`, { ...entry, started: '1', lease: '100000' })
      // Overdue: it is waited for.
      await client.pexpire(`weir:stream:${stream}`, 3000)
    })
    const acquired = b.registry.acquire(stream)
    await redis.ask((client) => client.publish('weir:began', stream))
    await eventually(() => expect(b.began).toStrictEqual([null, stream]))
    expect(await b.registry.locate(stream)).toStrictEqual(owner('a'))
    await redis.ask((client) => client.del(`weir:stream:${stream}`))
    expect(await acquired).toBeNull()
  })

  test('that an earlier start of the same server has left is taken over at once', async () => {
    const a = await ready('a')
    const left = {
      token: 't',
      boot: 'earlier',
      node: 'a',
      rtmp: 'rtmp://a',
      firm: '1',
      since: '1',
      started: '1',
    }
    await redis.ask((client) => client.hset(`weir:stream:${stream}`, left))
    expect(await a.registry.acquire(stream)).toBeNull()
  })

  test('of another cluster in the same Redis is another stream', async () => {
    const [a, b] = [await ready('a'), await ready('b', 'prefix other;')]
    await a.registry.acquire(stream)
    expect(await b.registry.acquire(stream)).toBeNull()
    expect((await b.registry.nodes()).map(({ node: name }) => name)).toStrictEqual(['b'])
  })
})

test('of two nodes that want the same stream at the same moment, one gets it each time', async () => {
  // On a machine that is busy a lease of a second may end before it is renewed.
  const patient = 'lease 60;'
  const nodes = [await ready('a', patient), await ready('b', patient)]
  const wins = { a: 0, b: 0 }
  for (let i = 0; i < 200; i += 1) {
    const name = `${stream}-${i}`
    // Each goes first half of the time.
    const order = i % 2 === 0 ? nodes : nodes.toReversed()
    const answers = await Promise.all(order.map(({ registry }) => registry.acquire(name)))
    const winners = order.filter((_, at) => answers[at] === null)
    expect(winners.length).toBe(1)
    expect(answers.find((answer) => answer !== null)).toStrictEqual(owner(winners[0]!.name))
    wins[winners[0]!.name as 'a' | 'b'] += 1
  }
  expect(wins.a + wins.b).toBe(200)
  const all = await nodes[0]!.registry.page(0, 1000)
  expect(all.streams.length).toBe(200)
  expect(new Set(all.streams.map(({ node: name }) => name))).toStrictEqual(
    new Set(Object.entries(wins).flatMap(([name, count]) => (count > 0 ? [name] : []))),
  )
})

describe('the cluster', () => {
  test('lists its nodes and streams', async () => {
    const [a, b] = [await ready('a'), await ready('b')]
    await a.registry.acquire(`${stream}1`)
    await b.registry.acquire(`${stream}2`)
    await eventually(async () => {
      const known = [
        { stream: `${stream}1`, node: 'a', rtmp: 'rtmp://a:1935' },
        { stream: `${stream}2`, node: 'b', rtmp: 'rtmp://b:1935' },
      ]
      expect(await a.registry.page(0, 10)).toStrictEqual({ total: 2, streams: known })
      expect(await a.registry.page(1, 1)).toStrictEqual({ total: 2, streams: known.slice(1) })
      expect(await b.registry.nodes()).toMatchObject([
        { node: 'a', rtmp: 'rtmp://a:1935', streams: 1, alive: true },
        { node: 'b', streams: 1, alive: true },
      ])
    })
    a.registry.release(`${stream}1`)
    await eventually(async () => expect((await b.registry.page(0, 10)).total).toBe(1))
    await a.registry.close()
    expect((await b.registry.nodes()).map(({ node: name }) => name)).toStrictEqual(['b'])
  })

  test('is told when two servers have one name', async () => {
    const [one, two] = [await ready('a'), await ready('a')]
    await eventually(() => {
      const told = [...one.lines, ...two.lines].filter(({ code }) => code === 'NODE_NAME')
      expect(told.length).toBeGreaterThan(0)
    })
  })

  test('gets back all streams of a node that ends', async () => {
    const [a, b] = [await ready('a'), await ready('b')]
    for (let i = 0; i < 1200; i += 1) void a.registry.acquire(`${stream}${i}`)
    await a.registry.acquire(`${stream}1199`)
    await a.registry.close()
    expect(await b.registry.acquire(`${stream}7`)).toBeNull()
    expect(await redis.ask((client) => client.keys('weir:stream:*'))).toStrictEqual([
      `weir:stream:${stream}7`,
    ])
  })
})
