import { afterAll, beforeAll, expect, test } from 'vitest'
import { signedQuery } from '../../src/access/signed-url.ts'
import { RedisServer } from '../support/redis-server.ts'
import { gapsIn } from './support/played.ts'
import { killMarked } from './support/processes.ts'
import { raceFor } from './support/race.ts'
import { Server, type ServerOptions } from './support/server.ts'
import { TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until } from './support/until.ts'

let redis: RedisServer

beforeAll(async () => {
  redis = await RedisServer.start()
})
afterAll(() => redis.kill())

/** Short enough for a test, long enough for a busy machine. */
const patient = 'lease 2; secret nobody-knows-this-word;'

const hls = 'hls { enabled on; hls_fragment 1; hls_path ./html; }'

/** Files of two virtual hosts under one name would be for those only who are let in by both. */
const ownFiles = 'hls_m3u8_file [vhost]/[app]/[stream].m3u8; hls_ts_file [vhost]/[app]/[stream]-[seq].ts;'
const privateHls = `hls { enabled on; hls_fragment 1; hls_path ./html; ${ownFiles} }`

/** What players of a virtual host need a signature with, and the one of a stream there. */
const playSecret = 'what-players-sign-with'
const signed = (stream: string): string =>
  signedQuery(playSecret, { action: 'play', stream, expires: Math.floor(Date.now() / 1000) + 600 })

/** How many streams are raced for, and how many at once. */
const races = 200
const atOnce = 40

/** @param options what the node has beside the cluster */
async function startNode(name: string, directives = '', options: ServerOptions = {}): Promise<Server> {
  const node = await Server.prepare()
  configure(name, node, directives, options)
  return node.start()
}

function configure(name: string, node: Server, directives: string, options: ServerOptions = {}): void {
  const http = options.httpWorkers === undefined ? '' : `advertise_http ${node.httpUrl('')};`
  const address = `node ${name}; advertise rtmp://127.0.0.1:${node.port}; ${http}`
  const more = `${options.more ?? ''} cluster { registry redis; redis ${redis.url}; ${address} ${patient} ${directives} }`
  node.configure({ ...options, more })
}

interface Cluster {
  readonly registry: string
  readonly connected: boolean
  readonly held: number
  readonly outages: number
  readonly accepted_alone: number
  readonly lost: number
  readonly nodes: readonly { readonly node: string; readonly alive: boolean }[]
  readonly streams: readonly { readonly name: string; readonly node: string }[]
}

/** What the API of a node tells of the cluster. */
async function clusterOf(node: Server): Promise<Cluster> {
  const answer = await fetch(node.httpUrl('/api/v1/cluster?count=100'))
  return ((await answer.json()) as { cluster: Cluster }).cluster
}

/** Waits until the cluster is as wanted. */
function becomes(asked: Server, what: string, matches: (cluster: Cluster) => boolean): Promise<unknown> {
  return until(what, async () => matches(await clusterOf(asked)))
}

/** Waits until a stream is written down at a node. */
function isAt(asked: Server, stream: string, node: string): Promise<unknown> {
  return becomes(asked, `${stream} to be at ${node}`, ({ streams }) =>
    streams.some((one) => one.name === stream && one.node === node),
  )
}

test('a stream is played at every node and published at one, whatever becomes of nodes and Redis', async () => {
  const withHttp = {
    httpWorkers: 1,
    more: `vhost private.example { ${privateHls} auth { enabled on; play signed; secret ${playSecret}; } }`,
    // Two hundred streams are to cost no two hundred processes.
    settings: { max_processes: 2 },
    vhost: `${hls} http_remux { enabled on; }`,
  }
  const [a, b, c] = await Promise.all([
    startNode('a', '', withHttp),
    startNode('b', '', withHttp),
    startNode('c', 'redirect on;', { httpWorkers: 1, vhost: 'http_remux { enabled on; }' }),
  ])
  const isAlive = ({ nodes }: Cluster): boolean => nodes.filter(({ alive }) => alive).length === 3
  await becomes(b, 'all nodes to be there', isAlive)

  // A player that came before the stream began, one that comes later, one at a node that sends it on.
  const early = await TestPlayer.play(b.url('one'))
  const first = await TestPublisher.publish(a.url('one'))
  first.goLive()
  const secretly = await TestPublisher.publish(`${a.url('private')}?vhost=private.example`)
  secretly.goLive()
  await isAt(b, 'one', 'a')
  const [late, sentOn] = [await TestPlayer.play(b.url('one')), await TestPlayer.play(c.url('one'))]
  for (const player of [early, late, sentOn]) {
    await player.has(30)
    expect(gapsIn(player.packets, first.sent)).toEqual([])
  }
  await c.waitForLog(({ msg }) => msg === 'play: the client is sent to another server')
  // One for all players of node b, and the player that node c has sent.
  expect(a.logs().filter(({ msg, stream }) => msg === 'play' && stream === 'live/one').length).toBe(2)
  await expect(TestPublisher.publish(b.url('one'))).rejects.toThrow('published at node a')
  // Sent on too, and told there that it is taken.
  await expect(TestPublisher.publish(c.url('one'))).rejects.toThrow('is published by connection')

  // Over HTTP that one sends players on, too.
  const there = await fetch(c.httpUrl('/live/one.flv?a=b'), { redirect: 'manual' })
  expect([there.status, there.headers.get('location')]).toEqual([302, a.httpUrl('/live/one.flv?a=b')])

  // Where players need a token, a node checks its own, and the owner lets the node in.
  const allowed = `vhost=private.example&${signed('private.example/live/private')}`
  const letIn = await TestPlayer.play(`${b.url('private')}?${allowed}`)
  await letIn.has(10)
  await expect(TestPlayer.play(`${b.url('private')}?vhost=private.example`)).rejects.toThrow('token')

  // A reload, and that node has it too.
  configure('c', c, 'redirect off;', { httpWorkers: 1 })
  await c.reload()
  const pulledNow = await TestPlayer.play(c.url('one'))
  await pulledNow.has(10)
  await pulledNow.close()

  // HLS is the owner's, under the same numbers, at whichever node.
  await until('the same playlist at both nodes', async () => {
    const [own, other] = await Promise.all(
      [a, b].map(async (node) => {
        const answer = await fetch(node.httpUrl('/live/one.m3u8'))
        return answer.ok ? answer.text() : answer.status
      }),
    )
    return typeof own === 'string' && own.includes('.ts') && own === other
  })

  const statusOf = async (query: string): Promise<number> => {
    return (await fetch(b.httpUrl(`/private.example/live/private.m3u8?${query}`))).status
  }
  await until('a playlist for who may have it', async () => (await statusOf(allowed)) === 200)
  expect(await statusOf('vhost=private.example')).toBe(401)
  await letIn.close()
  await secretly.close()

  // Two encoders at two nodes at once: one has the stream, each of two hundred times. Each goes first half of the time.
  // Those of the last round go on while Redis is away.
  let winners: TestPublisher[] = []
  for (let from = 0; from < races; from += atOnce) {
    for (const winner of winners) winner.stop()
    const raced = Array.from({ length: atOnce }, async (_, i) => {
      const pair = i % 2 === 0 ? [a, b] : [b, a]
      const { winner, refusals } = await raceFor(pair.map((node) => node.url(`race${from + i}`)))
      expect(refusals).toEqual([expect.stringMatching(/published at node [ab]$/)])
      return winner
    })
    winners = await Promise.all(raced)
  }

  // Redis is killed: what runs goes on, what is new is taken, and all is written down when it is back.
  await redis.kill()
  await becomes(b, 'Redis to be missed', ({ connected }) => !connected)
  const alone = await TestPublisher.publish(b.url('two'))
  alone.goLive()
  await Promise.all([early, late].map((player) => player.hasMore(20)))
  await redis.run()
  await Promise.all([isAt(b, 'one', 'a'), isAt(b, 'two', 'b')])
  await becomes(b, 'all streams to be written down again', ({ streams }) => streams.length === 2 + atOnce)
  const after = await clusterOf(b)
  expect(after).toMatchObject({ accepted_alone: 1, lost: 0 })
  for (const winner of winners) {
    expect(winner.client.closed).toBe(false)
    winner.stop()
  }
  expect(after.outages).toBeGreaterThan(0)
  for (const player of [early, late]) expect(gapsIn(player.packets, first.sent)).toEqual([])
  const elsewhere = await TestPlayer.play(a.url('two'))
  await elsewhere.has(10)

  // The owner is killed: an encoder that is at another node at once gets the stream when the lease ends, and is not refused.
  // The players of the others go on.
  // A node that has not found Redis again would take the stream alone, and lose it to the lease of the dead one.
  await becomes(c, 'Redis to be found again', ({ connected }) => connected)
  killMarked(a.dir)
  // As long as one of its processes dies, the kernel accepts connections for it: it would be taken for alive.
  await until('all of node a to be gone', () => a.processes().length === 0)
  const second = await publishAsEncoder(c.url('one'))
  second.goLive({ startMs: 60_000 })
  const [key] = second.sent.filter((packet) => packet.key)
  for (const player of [early, late]) {
    await player.hasFrame(key!)
    await player.hasMore(20)
    const times = player.frames.map(({ timestamp }) => timestamp)
    expect(times).toEqual(times.toSorted((x, y) => x - y))
  }
  await isAt(b, 'one', 'c')
})

/** Publishes as an encoder does whose server is gone: what is refused because the dead node has the stream yet is tried again. */
async function publishAsEncoder(url: string): Promise<TestPublisher> {
  let granted: TestPublisher | null = null
  await until('the stream to be granted', async () => {
    granted = await TestPublisher.publish(url).catch((error: Error) => {
      if (error.message.includes('published at node a')) return null
      throw error
    })
    return granted !== null
  })
  return granted!
}
