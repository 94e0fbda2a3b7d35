import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type ClusterNode, clusterNode } from '../support/cluster-node.ts'
import { eventually } from '../support/eventually.ts'
import { RedisServer } from '../support/redis-server.ts'

const stream = '__defaultVhost__/live/x'
let redis: RedisServer

beforeEach(async () => {
  redis = await RedisServer.start()
})
afterEach(() => redis.kill())

/** Waits until a node has noticed that Redis is away. */
const away = (node: ClusterNode): Promise<void> =>
  eventually(() => expect(node.registry.facts.connected).toBe(false))

const back = (node: ClusterNode): Promise<void> =>
  eventually(() => expect(node.registry.facts.connected).toBe(true))

/** The node that Redis has a stream at. */
const writtenAt = (name = stream): Promise<string | null> =>
  redis.ask((client) => client.hget(`weir:stream:${name}`, 'node'))

const warnings = ({ lines }: ClusterNode): unknown[] => lines.filter(({ code }) => code === 'REDIS')

describe('while Redis is down', () => {
  test('streams stay, new ones are taken, and all are written down when it is back', async () => {
    const a = await clusterNode('a', redis.url).ready()
    await a.registry.acquire(`${stream}1`)
    await redis.kill()
    await away(a)
    expect(await a.registry.acquire(`${stream}2`)).toBeNull()
    expect(await a.registry.locate(`${stream}3`)).toBeNull()
    expect(a.registry.facts).toMatchObject({ held: 2, acceptedAlone: 1, outages: 1, lost: 0 })
    await redis.run()
    await eventually(async () => {
      expect(await writtenAt(`${stream}1`)).toBe('a')
      expect(await writtenAt(`${stream}2`)).toBe('a')
    })
    expect(a.lost).toStrictEqual([])
    // One line when it went and one when it came.
    expect(warnings(a).length).toBe(1)
    expect(a.lines.filter(({ msg }) => msg.includes('answers again')).length).toBe(1)
  })

  test('what is given back is not written down', async () => {
    const a = await clusterNode('a', redis.url).ready()
    await a.registry.acquire(stream)
    await redis.kill()
    await away(a)
    a.registry.release(stream)
    await redis.run()
    await back(a)
    expect(await writtenAt()).toBeNull()
  })

  test('a node starts and takes streams', async () => {
    await redis.kill()
    const a = clusterNode('a', redis.url)
    expect(await a.registry.acquire(stream)).toBeNull()
    expect(a.registry.facts).toMatchObject({ connected: false, held: 1, outages: 1 })
    await redis.run()
    await eventually(async () => expect(await writtenAt()).toBe('a'))
  })

  test('a node ends at once', async () => {
    const a = await clusterNode('a', redis.url).ready()
    await a.registry.acquire(stream)
    await redis.kill()
    await away(a)
    await a.registry.close()
    expect(a.registry.held.size).toBe(0)
  })
})

describe('a Redis that does not answer', () => {
  test('for longer than a look-up waits has a stream go to one of those who want it, and none is taken without it', async () => {
    const slow = 'redis_timeout 1; lease 60;'
    const nodes = await Promise.all(['a', 'b'].map((name) => clusterNode(name, redis.url, slow).ready()))
    redis.freeze()
    onTestFinished(() => redis.thaw())
    const answers = nodes.map(({ registry }) => registry.acquire(stream))
    // A look-up has given up, so that the answers are late.
    expect(await nodes[0]!.registry.locate(`${stream}2`)).toBeNull()
    answers.push(nodes[1]!.registry.acquire(`${stream}2`))
    redis.thaw()
    const [a, b, other] = await Promise.all(answers)
    expect([a, b].filter((owner) => owner === null).length).toBe(1)
    expect(other).toBeNull()
    for (const { registry } of nodes) {
      expect(registry.facts).toMatchObject({ connected: true, acceptedAlone: 0, outages: 0 })
    }
  })

  test('holds up a publish for three times redis_timeout at most, and the next ones not at all', async () => {
    const a = await clusterNode('a', redis.url, 'lease 300; redis_timeout 200ms;').ready()
    redis.freeze()
    onTestFinished(() => redis.thaw())
    const waiting = Array.from({ length: 50 }, (_, i) => a.registry.acquire(`${stream}${i}`))
    expect(await Promise.all(waiting)).toStrictEqual(waiting.map(() => null))
    expect(a.registry.facts).toMatchObject({ connected: false, acceptedAlone: 50, outages: 1 })
    expect(warnings(a).length).toBe(1)
    expect(await a.registry.acquire(`${stream}50`)).toBeNull()
    redis.thaw()
    await eventually(async () => {
      expect(await writtenAt(`${stream}0`)).toBe('a')
      expect(await writtenAt(`${stream}50`)).toBe('a')
    })
  })

  test('and never has, since it accepts connections alone, is a Redis that is down', async () => {
    const sockets = new Set<Socket>()
    const silent = createServer((socket) => {
      sockets.add(socket.on('error', () => {}))
    })
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      silent.close()
    })
    const { port } = silent.address() as AddressInfo
    const a = clusterNode('a', `redis://127.0.0.1:${port}`, 'redis_timeout 100ms;')
    expect(await a.registry.acquire(stream)).toBeNull()
    expect(a.registry.facts).toMatchObject({ connected: false, outages: 1 })
    // It is given up and tried again, in case that something else answers there now.
    await eventually(() => expect(sockets.size).toBeGreaterThan(3))
    expect(warnings(a).length).toBe(1)
  })

  test('or refuses every command is one that is away', async () => {
    const a = await clusterNode('a', redis.url).ready()
    await redis.ask((client) => client.config('SET', 'maxmemory', '1'))
    await eventually(() => expect(a.registry.facts.connected).toBe(false))
    expect(await a.registry.acquire(stream)).toBeNull()
    expect(warnings(a)).toMatchObject([{ msg: expect.stringContaining('OOM') }])
    await redis.ask((client) => client.config('SET', 'maxmemory', '0'))
    await eventually(async () => expect(await writtenAt()).toBe('a'))
  })
})

describe('a stream that two nodes have taken while Redis was down', () => {
  /** Both have it, `a` for longer; Redis is down. */
  async function both() {
    const [a, b] = [await clusterNode('a', redis.url).ready(), await clusterNode('b', redis.url).ready()]
    await redis.kill()
    await Promise.all([away(a), away(b)])
    expect(await a.registry.acquire(stream)).toBeNull()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await b.registry.acquire(stream)).toBeNull()
    return { a, b }
  }

  test('stays where it was for longer, whoever is first to reach Redis', async () => {
    const { a, b } = await both()
    await redis.run()
    await eventually(() => expect(b.lost.length).toBe(1))
    expect(b.lost).toMatchObject([[stream, { node: 'a', rtmp: 'rtmp://a:1935' }]])
    expect(a.lost).toStrictEqual([])
    expect(await writtenAt()).toBe('a')
    expect(b.registry.facts).toMatchObject({ held: 0, lost: 1 })
    expect(await b.registry.acquire(stream)).toMatchObject({ node: 'a' })
  })
})

/** What a node has written down of a stream. */
function entry(node: string, changed: Record<string, string>): Record<string, string> {
  return {
    token: 't',
    boot: `boot of ${node}`,
    node,
    rtmp: `rtmp://${node}:1935`,
    http: '',
    started: '1',
    ...changed,
  }
}

describe('a stream that another node has written down', () => {
  const hour = 3_600_000

  test.each<[what: string, firm: '0' | '1', ageMs: number, keeps: boolean]>([
    ['and owns firmly, is lost though it was here for longer', '1', 0, false],
    ['after this one had taken it, while neither could be sure, is this one’s', '0', 0, true],
    ['and had for longer is lost', '0', hour, false],
  ])('%s', async (_, firm, ageMs, keeps) => {
    const a = await clusterNode('a', redis.url, 'lease 2;').ready()
    await a.registry.acquire(stream)
    const since = String(Date.now() + 60_000 - (ageMs === 0 ? 0 : ageMs + 60_000))
    await redis.ask(async (client) => {
      await client.del(`weir:stream:${stream}`)
      await client.hset(`weir:stream:${stream}`, entry('b', { firm, since }))
    })
    if (keeps) await eventually(async () => expect(await writtenAt()).toBe('a'))
    else await eventually(() => expect(a.lost).toMatchObject([[stream, { node: 'b' }]]))
    expect(await writtenAt()).toBe(keeps ? 'a' : 'b')
  })
})
