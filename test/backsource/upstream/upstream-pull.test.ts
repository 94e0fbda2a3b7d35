import { createServer, type Server, type Socket } from 'node:net'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { openRtmpLink } from '../../../src/backsource/upstream/rtmp-link.ts'
import { type PullHost, UpstreamPull } from '../../../src/backsource/upstream/upstream-pull.ts'
import { upstreamUrl } from '../../../src/backsource/upstream/upstream-url.ts'
import type { WeirError } from '../../../src/base/errors.ts'
import { Source } from '../../../src/live/source.ts'
import { dataType, type Packet } from '../../../src/media/packet.ts'
import { readEdge } from '../../../src/rtmp/edge-identity.ts'
import { type Peer, TinyServer } from '../../client/tiny-server.ts'
import { eventually } from '../../support/eventually.ts'
import { recordingLogger } from '../../support/logger.ts'
import { OtherHost } from '../../support/other-host.ts'
import { interFrame, keyFrame, videoHeader } from '../../support/packets.ts'

const servers: (TinyServer | Server)[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** An origin whose players wait, until a test sends them something. */
class Origin {
  readonly server: TinyServer
  address = ''

  constructor(change?: (peer: Peer) => void) {
    this.server = new TinyServer(change)
    servers.push(this.server)
  }

  static async start(change?: (peer: Peer) => void): Promise<Origin> {
    const origin = new Origin(change)
    origin.address = await origin.server.listen()
    return origin
  }

  get connections(): number {
    return this.server.peers.length
  }

  /** Sends to its newest player, when that plays. */
  async send(...packets: Packet[]): Promise<void> {
    await eventually(() => expect(this.server.peers.at(-1)?.play ?? null).not.toBeNull())
    const { session, play } = this.server.peers.at(-1)!
    for (const packet of packets) session.sendPacket(play!.streamId, packet)
  }
}

/** An origin that refuses players. */
const refusing = (peer: Peer): void => {
  peer.handler.onPlay = ({ streamId }) =>
    peer.session.rejectPlay(streamId, 'NetStream.Play.StreamNotFound', 'no such stream')
}

/** A port that accepts connections and never says a word: a server that hangs, or a network that is cut. */
async function silentServer(): Promise<{ address: string; sockets: Socket[] }> {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket.resume())
    socket.on('error', () => {})
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  const at = server.address()
  return { address: `rtmp://127.0.0.1:${typeof at === 'object' ? at?.port : 0}`, sockets }
}

const quick = {
  ...{ originTimeout: 5, originRetry: 0.05, originSilence: 5, pullTimeout: 10 },
  ...{ tlsCa: '', tlsVerify: true },
}

function pullFrom(upstreams: readonly string[], settings: Partial<typeof quick> = {}) {
  const { logger, lines } = recordingLogger()
  const source = new Source({
    ...({ timeJitter: 'full', atc: false, gopCache: true } as const),
    gopCacheLimits: { maxDurationMs: 30_000, maxBytes: 1e7 },
  })
  const story: string[] = []
  const packets: Packet[] = []
  source.join({
    onRestart: () => story.push('restart'),
    onIdle: () => story.push('idle'),
    onPacket: (packet) => {
      packets.push(packet)
      story.push(packet.body.toString())
    },
  })
  const health: string[] = []
  const ends: WeirError[] = []
  const told = { media: 0 }
  const host: PullHost = {
    logger,
    settings: { ...quick, ...settings },
    urlOn: (address) => upstreamUrl(address, 'tv.example/live/x y', '[vhost]'),
    route: () => ['hop000000001'],
    identity: (connectionId) => ({ serverId: 'edge0001', pid: '7', connectionId, ip: '192.0.2.9' }),
    onMedia: () => {
      told.media += 1
    },
    onHealth: (address, ok) => health.push(`${address} ${ok}`),
    onEnded: (error) => ends.push(error),
  }
  const pull = new UpstreamPull(source, upstreams, host, openRtmpLink)
  onTestFinished(() => pull.stop())
  return { pull, lines, story, packets, health, ends, told }
}

type Pulled = ReturnType<typeof pullFrom>

const got = ({ story }: Pulled, ...expected: string[]): Promise<void> =>
  eventually(() => expect(story).toStrictEqual(expected))

describe('a pull', () => {
  test('asks for the stream under its names, and passes on what comes', async () => {
    const origin = await Origin.start()
    const pulled = pullFrom([origin.address])
    await origin.send(videoHeader('avc'), keyFrame(500), interFrame(540))
    await got(pulled, 'restart', 'avc', '500', '540')
    const { connect, play } = origin.server.peers[0]!
    expect(play).toMatchObject({ vhost: 'tv.example', app: 'live', stream: 'x y' })
    expect(connect?.tcUrl).toBe(`rtmp://tv.example:${origin.address.split(':').at(-1)}/live`)
    expect(connect?.route).toStrictEqual(['hop000000001'])
    const identity = readEdge(connect?.args ?? null)
    expect(identity).toMatchObject({ serverId: 'edge0001', pid: '7', ip: '192.0.2.9' })
    expect(identity?.connectionId).toBe(pulled.lines[0]?.sid)
    expect(pulled.told.media).toBe(1)
    expect(pulled.health).toStrictEqual([`${origin.address} true`])
    expect(pulled.pull.upstream).toMatchObject({ address: origin.address, connectionId: '31' })
    expect(pulled.lines).toMatchObject([{ upstream: origin.address, upstreamId: '31' }])
  })

  test('goes on at the next server when one dies: headers again, and time goes on', async () => {
    const [a, b] = [await Origin.start(), await Origin.start()]
    const pulled = pullFrom([a.address, b.address])
    await a.send(videoHeader('a'), keyFrame(9000), interFrame(9040))
    await got(pulled, 'restart', 'a', '9000', '9040')
    a.server.close()
    await b.send(videoHeader('b'), keyFrame(100), interFrame(140))
    await got(pulled, 'restart', 'a', '9000', '9040', 'restart', 'b', '100', '140')
    const times = pulled.packets.filter(({ type }) => type !== dataType).map(({ timestamp }) => timestamp)
    expect(times).toStrictEqual(times.toSorted((one, other) => one - other))
    expect(pulled.ends).toStrictEqual([])
    expect(pulled.pull.upstream?.address).toBe(b.address)
  })

  test('is not held up by a server that nobody is at, and tells that', async () => {
    const [gone, b] = [await Origin.start(), await Origin.start()]
    gone.server.close()
    const pulled = pullFrom([gone.address, b.address])
    await b.send(keyFrame(0))
    await got(pulled, 'restart', '0')
    expect(pulled.health).toStrictEqual([`${gone.address} false`, `${b.address} true`])
    expect(pulled.lines[0]).toMatchObject({ code: 'RTMP_CLOSED', upstream: gone.address })
  })

  test('is not held up by a server that hangs', async () => {
    const [hangs, b] = [await silentServer(), await Origin.start()]
    const pulled = pullFrom([hangs.address, b.address], { originTimeout: 0.1 })
    await eventually(() => expect(b.connections).toBeGreaterThan(0))
    await b.send(keyFrame(0))
    await got(pulled, 'restart', '0')
    expect(pulled.health[0]).toBe(`${hangs.address} false`)
  })

  test('goes on elsewhere when a server that sent media is silent', async () => {
    const [a, b] = [await Origin.start(), await Origin.start()]
    const pulled = pullFrom([a.address, b.address], { originSilence: 0.2 })
    await a.send(keyFrame(0))
    await b.send(keyFrame(80))
    await got(pulled, 'restart', '0', 'restart', '80')
    expect(pulled.lines).toMatchObject([{}, { code: 'UPSTREAM_SILENT', upstream: a.address }, {}])
    // It answers, but has nothing to send: others need not shun it.
    expect(pulled.health).not.toContain(`${a.address} false`)
  })

  test('does not wait for the leave of a server that is silent: its network may be cut', async () => {
    const a = await Origin.start(({ socket }) => {
      socket.allowHalfOpen = true
    })
    const b = await Origin.start()
    const pulled = pullFrom([a.address, b.address], { originSilence: 0.2 })
    await a.send(keyFrame(0))
    await b.send(keyFrame(80))
    await got(pulled, 'restart', '0', 'restart', '80')
    // As long as this end is about to leave it reads; a socket that is closed would answer with a reset.
    const { socket } = a.server.peers[0]!
    for (const [late, time] of [120, 160].entries()) {
      socket.write(`late ${late}`)
      await b.send(interFrame(time))
      await eventually(() => expect(pulled.story.at(-1)).toBe(String(time)))
    }
    expect(socket.closed).toBe(false)
  })

  test('looks elsewhere when a server has no media for it', async () => {
    const [a, b] = [await Origin.start(), await Origin.start()]
    const pulled = pullFrom([a.address, b.address], { originTimeout: 0.3 })
    await eventually(() => expect(b.connections).toBe(1))
    await b.send(keyFrame(0))
    await got(pulled, 'restart', '0')
  })

  test('waits at the only server there is', async () => {
    const only = await Origin.start()
    const pulled = pullFrom([only.address], { originTimeout: 0.1, originSilence: 0.1, pullTimeout: 1 })
    await eventually(() => expect(pulled.ends).toMatchObject([{ code: 'UPSTREAM_ABSENT' }]))
    expect(only.connections).toBe(1)
    expect(pulled.told.media).toBe(0)
  })

  test('that all servers refuse is over at once, and asks no more', async () => {
    const [a, b] = [await Origin.start(refusing), await Origin.start(refusing)]
    const pulled = pullFrom([a.address, b.address])
    await eventually(() => expect(pulled.ends).toMatchObject([{ code: 'UPSTREAM_ABSENT' }]))
    expect([a.connections, b.connections]).toStrictEqual([1, 1])
    expect(pulled.health).toStrictEqual([`${a.address} true`, `${b.address} true`])
    expect(pulled.story).toStrictEqual([])
  })

  test('that had media goes on asking for a while when servers refuse: the encoder may return', async () => {
    let isThere = true
    const origin = await Origin.start((peer) => (isThere ? undefined : refusing(peer)))
    const pulled = pullFrom([origin.address])
    await origin.send(keyFrame(0))
    await got(pulled, 'restart', '0')
    isThere = false
    origin.server.peers[0]!.socket.destroy()
    await eventually(() => expect(origin.connections).toBeGreaterThan(2))
    expect(pulled.story.at(-1)).toBe('idle')
    isThere = true
    const before = origin.connections
    await eventually(() => expect(origin.connections).toBeGreaterThan(before))
    await origin.send(keyFrame(40, 'again'))
    await eventually(() => expect(pulled.story.at(-1)).toBe('again'))
    expect(pulled.ends).toStrictEqual([])
  })

  test('asks no server more often than origin_retry says', async () => {
    const origin = await Origin.start((peer) => {
      peer.handler.onConnect = () => peer.socket.destroy()
    })
    const pulled = pullFrom([origin.address], { originRetry: 60, pullTimeout: 0.5 })
    await eventually(() => expect(pulled.ends.length).toBe(1))
    expect(origin.connections).toBe(1)
  })

  test('moves when its server is no upstream any more, and stays when it is', async () => {
    const [a, b] = [await Origin.start(), await Origin.start()]
    const pulled = pullFrom([a.address])
    await a.send(keyFrame(0))
    await got(pulled, 'restart', '0')
    pulled.pull.upstreams = [b.address, a.address]
    await a.send(interFrame(40))
    await got(pulled, 'restart', '0', '40')
    pulled.pull.upstreams = [b.address]
    await b.send(keyFrame(80))
    await got(pulled, 'restart', '0', '40', 'restart', '80')
    await eventually(() => expect(a.server.peers[0]?.socket.closed).toBe(true))
  })

  test('that is stopped leaves its server, whatever it is about to do', async () => {
    const [origin, hangs] = [await Origin.start(), await silentServer()]
    const one = pullFrom([origin.address])
    await origin.send(keyFrame(0))
    await got(one, 'restart', '0')
    const other = pullFrom([hangs.address])
    await eventually(() => expect(hangs.sockets.length).toBe(1))
    for (const { pull } of [one, other]) pull.stop()
    await eventually(() => {
      expect(origin.server.peers[0]?.socket.closed).toBe(true)
      expect(hangs.sockets[0]?.closed).toBe(true)
    })
    expect([one.story, other.story, one.ends, other.ends]).toStrictEqual([['restart', '0'], [], [], []])
  })
})

describe.skipIf(!OtherHost.isPossible('a pull over a network that is cut'))('a network that is cut', () => {
  test('is noticed, though nothing is reset, and the next server is asked', async () => {
    const [far, near] = [await OtherHost.start(), await Origin.start()]
    onTestFinished(() => far.end())
    const pulled = pullFrom([far.url, near.address], { originSilence: 0.5 })
    await eventually(() => expect(pulled.packets.length).toBeGreaterThan(5))
    far.cut()
    await near.send(keyFrame(7))
    await eventually(() => expect(pulled.story.at(-1)).toBe('7'))
    expect(pulled.lines).toMatchObject([{}, { code: 'UPSTREAM_SILENT', upstream: far.url }, {}])
    expect(pulled.ends).toStrictEqual([])
  })

  test('costs a connection its time-out, and the server is asked again when it is back', async () => {
    const far = await OtherHost.start()
    onTestFinished(() => far.end())
    far.cut()
    const pulled = pullFrom([far.url], { originTimeout: 0.3 })
    await eventually(() => expect(pulled.health).toContain(`${far.url} false`))
    expect(pulled.lines[0]).toMatchObject({ code: 'RTMP_TIMEOUT', upstream: far.url })
    far.heal()
    await eventually(() => expect(pulled.packets.length).toBeGreaterThan(0))
  })
})
