import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { jsonOutput } from '../../src/tools/bench/output.ts'
import type { Plan, PlayPlan, PublishPlan } from '../../src/tools/bench/plan.ts'
import type { PlayResult, PublishResult } from '../../src/tools/bench/result.ts'
import { runLoad } from '../../src/tools/bench/run.ts'
import { type Peer, TinyServer } from '../client/tiny-server.ts'
import { keyFrame, sampleTags, writeClip } from './bench/sample-clip.ts'

/** A server that gives what is published to who plays it, from the next packet on. */
class Relay {
  readonly server: TinyServer
  /** A test may change what players get. */
  toPlayers: (packet: RelayedPacket) => RelayedPacket | null = (packet) => packet

  constructor() {
    this.server = new TinyServer((peer) => {
      peer.handler.onPacket = (_streamId, packet) => {
        peer.packets.push(packet)
        this.#relay(peer, packet)
      }
    })
  }

  #relay(publisher: Peer, packet: RelayedPacket): void {
    const relayed = this.toPlayers(packet)
    if (relayed === null) return
    for (const { play, session, socket } of this.server.peers) {
      const isWanted = play !== null && play.stream === publisher.publish?.stream && !socket.destroyed
      if (isWanted) session.sendPacket(play.streamId, relayed)
    }
  }
}

type RelayedPacket = Parameters<Peer['session']['sendPacket']>[1]

interface Run {
  readonly events: readonly { readonly event: string; readonly [field: string]: unknown }[]
  readonly stop: AbortController
  readonly result: Promise<PlayResult & PublishResult>
}

function begin(plan: Plan, seconds: number | null): Run {
  const events: Run['events'][number][] = []
  const stop = new AbortController()
  const output = jsonOutput((line) => events.push(JSON.parse(line)))
  const result = runLoad({ plan, seconds, settleMs: 100, stop: stop.signal, output })
  return { events, stop, result: result as Run['result'] }
}

/** A thread begins in a tenth of this, unless the machine is busy. */
const patience = { timeout: 5000 }
vi.setConfig({ testTimeout: 20_000 })

let relay: Relay
let base: string

beforeEach(async () => {
  relay = new Relay()
  base = await relay.server.listen()
})

afterEach(() => relay.server.close())

function publishPlan(change: Partial<PublishPlan> = {}): PublishPlan {
  const clip = writeClip(sampleTags)
  const url = `${base}/live/s_{i}`
  return {
    kind: 'publish',
    clients: 2,
    url,
    clip,
    stamp: true,
    loop: true,
    rampPerSecond: 1000,
    threads: 1,
    ...change,
  }
}

function playPlan(change: Partial<PlayPlan> = {}): PlayPlan {
  return {
    kind: 'play',
    clients: 6,
    url: `${base}/live/s_{i}`,
    streams: 2,
    rampPerSecond: 1000,
    threads: 2,
    ...change,
  }
}

/** Players of two streams while these are published. */
async function playWhilePublishing(seconds: number) {
  const publishers = begin(publishPlan(), null)
  await expect
    .poll(() => relay.server.peers.filter(({ publish }) => publish !== null).length, patience)
    .toBe(2)
  const players = begin(playPlan(), seconds)
  const played = await players.result
  publishers.stop.abort()
  return { players, played, publishers, published: await publishers.result }
}

describe('publishers and players', () => {
  test('get along with a server that relays all', async () => {
    const { players, played, published } = await playWhilePublishing(1)

    expect(played).toMatchObject({
      clients: 6,
      up: 6,
      errors: {},
      gaps: 0,
      timestampErrors: 0,
      framingErrors: 0,
    })
    // Both threads have clients: every stream has three players.
    const streams = relay.server.peers
      .map(({ play }) => play?.stream)
      .filter((stream) => stream !== undefined)
    expect(streams.toSorted()).toStrictEqual(['s_0', 's_0', 's_0', 's_1', 's_1', 's_1'])
    // Twenty-five pictures a second, if the machine had time for them.
    expect(played.latencyMs?.count).toBeGreaterThan(6 * 10)
    expect(played.latencyMs?.max).toBeLessThan(5000)
    expect(played.firstPacketMs.p50).toBeGreaterThan(0)
    expect(played.kbpsMean).toBeGreaterThan(1)
    expect(played.seconds).toBeGreaterThan(0.5)
    expect(players.events.map(({ event }) => event).filter((event) => event !== 'progress')).toStrictEqual([
      'up',
      'start',
      'result',
    ])
    expect(players.events).toContainEqual({ event: 'up', clients: 6, errors: 0 })
    expect(players.events.at(-1)).toStrictEqual({ event: 'result', ...played })

    expect(published).toMatchObject({ clients: 2, up: 2, errors: {} })
    expect(published.packets).toBeGreaterThan(50)
    expect(published.bytes).toBeGreaterThan(published.packets * 10)
  })

  test('the clip goes on in its second round, in number and time', async () => {
    const publishers = begin(publishPlan({ clients: 1, loop: true }), null)
    await expect.poll(() => relay.server.peers[0]?.packets.length ?? 0, patience).toBeGreaterThan(45)
    publishers.stop.abort()
    await publishers.result
    const times = relay.server.peers[0]!.packets.slice(2, 44).map(({ timestamp }) => timestamp)
    expect(times.slice(0, 4)).toStrictEqual([0, 10, 40, 50])
    expect(times.slice(19, 23)).toStrictEqual([370, 410, 420, 450])
  })

  test('publishers that do not begin anew end at the end of the clip', async () => {
    const { result } = begin(publishPlan({ loop: false }), null)
    expect(await result).toMatchObject({ clients: 2, up: 2, errors: {} })
    expect(relay.server.peers.map(({ packets }) => packets.length)).toStrictEqual([22, 22])
    expect(relay.server.peers.map(({ ended }) => ended)).toStrictEqual([['unpublish'], ['unpublish']])
  })
})

describe('players tell', () => {
  test('pictures that the server leaves out', async () => {
    let pictures = 0
    relay.toPlayers = (packet) => {
      if (packet.type === 9) pictures += 1
      return packet.type === 9 && pictures % 10 === 0 ? null : packet
    }
    const { played } = await playWhilePublishing(0.5)
    expect(played.gaps).toBeGreaterThan(0)
    expect(played).toMatchObject({ errors: {}, timestampErrors: 0, framingErrors: 0 })
  })

  test('times that go back', async () => {
    relay.toPlayers = (packet) => ({ ...packet, timestamp: 1e6 - packet.timestamp })
    const { played } = await playWhilePublishing(0.5)
    expect(played.timestampErrors).toBeGreaterThan(0)
    expect(played).toMatchObject({ errors: {}, gaps: 0, framingErrors: 0 })
  })

  test('bytes that are no chunks', async () => {
    const run = begin(playPlan({ clients: 1, threads: 1 }), 60)
    await expect.poll(() => run.events.some(({ event }) => event === 'start'), patience).toBe(true)
    relay.server.peers[0]!.socket.write(Buffer.alloc(100, 0xff))
    expect(await run.result).toMatchObject({ up: 0, errors: { RTMP_CHUNK_HEADER: 1 }, framingErrors: 1 })
  })

  test('that nothing comes', async () => {
    const { result } = begin(playPlan({ clients: 2 }), 0.1)
    expect(await result).toMatchObject({ up: 2, errors: { NO_MEDIA: 2 }, latencyMs: null })
  })

  test('that they are refused, and do not measure then', async () => {
    const refusing = new TinyServer((peer) => {
      peer.handler.onPlay = ({ streamId }) => peer.session.rejectPlay(streamId, 'NetStream.Play.Failed', 'no')
    })
    base = await refusing.listen()
    const { result, events } = begin(playPlan({ clients: 2 }), 60)
    expect(await result).toMatchObject({ up: 0, errors: { RTMP_REJECTED: 2 } })
    expect(events).toContainEqual({ event: 'up', clients: 0, errors: 2 })
    refusing.close()
  })

  test('that the server closes the connection', async () => {
    const run = begin(playPlan({ clients: 2, threads: 1 }), 60)
    await expect.poll(() => run.events.some(({ event }) => event === 'start'), patience).toBe(true)
    for (const { socket } of relay.server.peers) socket.end()
    expect(await run.result).toMatchObject({ up: 0, errors: { RTMP_CLOSED: 2 }, framingErrors: 0 })
  })
})

test('players answer pings and acknowledge what they get, as players do', async () => {
  const run = begin(playPlan({ clients: 1, threads: 1 }), 60)
  await expect.poll(() => run.events.some(({ event }) => event === 'start'), patience).toBe(true)
  const { session, play } = relay.server.peers[0]!
  const body = Buffer.concat([keyFrame, Buffer.alloc(150_000)])
  session.sendPacket(play!.streamId, { type: 9, flags: 0, timestamp: 0, body })
  session.sendPing(7)
  await expect.poll(() => session.lastPong, patience).toBe(7)
  await expect.poll(() => session.bytesAcknowledged, patience).toBeGreaterThan(100_000)
  run.stop.abort()
  expect(await run.result).toMatchObject({ up: 1, errors: {}, framingErrors: 0 })
})

describe('a run that cannot begin', () => {
  test('tells why the clip cannot be read', async () => {
    const { result } = begin(publishPlan({ clip: '/nowhere/clip.flv' }), 1)
    await expect(result).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('counts a server that is not there', async () => {
    relay.server.close()
    const { result } = begin(playPlan({ clients: 3, threads: 1 }), 60)
    expect(await result).toMatchObject({ up: 0, errors: { ECONNREFUSED: 3 } })
  })
})
