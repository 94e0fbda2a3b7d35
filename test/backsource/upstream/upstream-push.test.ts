import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type PushHost, UpstreamPush } from '../../../src/backsource/upstream/upstream-push.ts'
import type { WeirError } from '../../../src/base/errors.ts'
import { Source } from '../../../src/live/source.ts'
import { amfObject } from '../../../src/media/amf-value.ts'
import { encodeAmf0 } from '../../../src/media/amf0-writer.ts'
import type { Packet } from '../../../src/media/packet.ts'
import { redirectTo } from '../../../src/rtmp/redirect.ts'
import { type Peer, TinyServer } from '../../client/tiny-server.ts'
import { eventually } from '../../support/eventually.ts'
import { recordingLogger } from '../../support/logger.ts'
import { OtherHost } from '../../support/other-host.ts'
import { interFrame, keyFrame, metadata, sound, videoHeader } from '../../support/packets.ts'

const servers: TinyServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function origin(change?: (peer: Peer) => void): Promise<{ server: TinyServer; at: string }> {
  const server = new TinyServer(change)
  servers.push(server)
  return { server, at: await server.listen() }
}

async function deadOrigin(): Promise<string> {
  const { server, at } = await origin()
  server.close()
  return at
}

function refusing(reason: string): (peer: Peer) => void {
  return ({ handler, session }) => {
    handler.onPublish = ({ streamId }) => session.rejectPublish(streamId, 'NetStream.Publish.BadName', reason)
  }
}

const meta = metadata(encodeAmf0('onMetaData', amfObject({ width: 16 })))

function marksOf(peer: Peer | undefined): string[] {
  return (peer?.packets ?? []).map(({ type, body }) => (type === meta.type ? 'meta' : body.toString()))
}

/** A stream in a back-source whose publisher waits for the verdict of other servers. */
function setUp(
  upstreams: readonly string[],
  {
    granted = false,
    pushTimeout = 30,
    originSilence = 60,
    earlier = undefined as Promise<unknown> | undefined,
  } = {},
) {
  const { logger, lines } = recordingLogger()
  const source = new Source({
    ...({ timeJitter: 'full', atc: false, gopCache: true } as const),
    gopCacheLimits: { maxDurationMs: 30_000, maxBytes: 1e7 },
  })
  const health: [string, boolean][] = []
  const ended = Promise.withResolvers<WeirError>()
  const accepted = vi.fn()
  const host: PushHost = {
    logger,
    settings: { originTimeout: 3, originRetry: 0.01, originSilence, pushTimeout, tlsCa: '', tlsVerify: true },
    source: {
      ...{ chunkSize: 60_000, queueMs: 30_000, stallMs: 30_000 },
      join: (consumer) => source.join(consumer),
      leave: (consumer) => source.leave(consumer),
    },
    optionsFor: (address) => ({ url: `${address}/live/x?token=1`, connectFields: { pageUrl: 'p' } }),
    idOf: () => '31',
    onHealth: (address, ok) => health.push([address, ok]),
    onAccepted: accepted,
    onEnded: ended.resolve,
  }
  const push = new UpstreamPush(upstreams, host, granted, earlier)
  onTestFinished(() => push.stop())
  return {
    ...{ push, source, lines, health, accepted },
    ended: ended.promise,
    send: (...packets: Packet[]) => {
      for (const packet of packets) source.push(packet)
    },
    /** The publisher has its verdict, and its stream comes. */
    attach: () => {
      source.publish('pub1')
      push.begin()
    },
    taken: () => eventually(() => expect(push.status.address).not.toBe('')),
  }
}

describe('a push', () => {
  test('asks first, then sends everything, and takes leave at the end', async () => {
    const { server, at } = await origin()
    const { push, attach, send, accepted, taken, health, lines } = setUp([at])
    await taken()
    expect(accepted).toHaveBeenCalledOnce()
    expect(server.peers[0]?.publish).toMatchObject({ app: 'live', stream: 'x', param: '?token=1' })
    expect(server.peers[0]?.packets).toEqual([])
    attach()
    send(meta, videoHeader('avc'), sound(0), keyFrame(10), interFrame(50))
    await eventually(() => expect(marksOf(server.peers[0])).toEqual(['meta', 'avc', '0', '10', '50']))
    expect(push.status).toMatchObject({ address: at, connectionId: '31', retries: 0, lastError: null })
    send(interFrame(90))
    await push.stop()
    await eventually(() => expect(server.peers[0]?.ended).toEqual(['unpublish']))
    expect(marksOf(server.peers[0]).at(-1)).toBe('90')
    expect(health).toEqual([[at, true]])
    expect(lines).toContainEqual(expect.objectContaining({ upstream: at, upstreamId: '31' }))
  })

  test('sends nothing of another stream of that name: its publisher has to be there', async () => {
    const { server, at } = await origin()
    const { source, send, attach, taken } = setUp([at])
    source.publish('pulled')
    send(keyFrame(0, 'theirs'))
    await taken()
    send(interFrame(40, 'theirs'))
    attach()
    send(keyFrame(80, 'ours'))
    await eventually(() => expect(marksOf(server.peers[0])).toEqual(['ours']))
  })

  test('that is refused ends with the reason, without another try', async () => {
    const [busy, other] = [await origin(refusing('busy')), await origin()]
    const { ended, accepted, health } = setUp([busy.at, other.at])
    expect(await ended).toMatchObject({
      code: 'PUSH_REFUSED',
      message: 'NetStream.Publish.BadName: busy',
    })
    expect(accepted).not.toHaveBeenCalled()
    expect(health).toEqual([[busy.at, true]])
    expect(other.server.peers).toHaveLength(0)
  })

  test('passes over a server that is not there', async () => {
    const [dead, live] = [await deadOrigin(), await origin()]
    const { taken, health, push } = setUp([dead, live.at])
    await taken()
    expect(push.status).toMatchObject({ address: live.at, retries: 1 })
    expect(health).toEqual([
      [dead, false],
      [live.at, true],
    ])
  })

  test('that finds no server ends when each was tried once', async () => {
    const { ended, health } = setUp([await deadOrigin(), await deadOrigin()])
    expect(await ended).toMatchObject({ code: 'PUSH_LOST' })
    expect(health).toHaveLength(2)
  })

  test('goes where it is sent', async () => {
    const target = await origin()
    const stream = { vhost: '__defaultVhost__', app: 'live', stream: 'x', param: '?token=1' }
    const first = await origin(({ handler, session }) => {
      handler.onPublish = ({ streamId }) => session.redirectPublish(streamId, redirectTo(target.at, stream))
    })
    const { attach, send, taken } = setUp([first.at])
    await taken()
    attach()
    send(keyFrame(0))
    await eventually(() => expect(marksOf(target.server.peers[0])).toEqual(['0']))
  })

  test('begins when the one before has ended', async () => {
    const { server, at } = await origin()
    const before = Promise.withResolvers<void>()
    const { taken } = setUp([at], { earlier: before.promise })
    await new Promise((resolve) => setImmediate(resolve))
    expect(server.peers).toHaveLength(0)
    before.resolve()
    await taken()
  })

  test('that is stopped while it waits for its verdict leaves nothing behind', async () => {
    const { server, at } = await origin(({ handler }) => {
      handler.onPublish = () => {}
    })
    const { push, accepted } = setUp([at])
    await eventually(() => expect(server.peers[0]?.connect).toBeTruthy())
    await push.stop()
    await eventually(() => expect(server.peers[0]?.socket.destroyed).toBe(true))
    expect(accepted).not.toHaveBeenCalled()
  })
})

describe('a push that has lost its server', () => {
  test('goes on at the next one, with headers and GOP', async () => {
    const [a, b] = [await origin(), await origin()]
    const { push, attach, send, taken, lines } = setUp([a.at, b.at])
    await taken()
    attach()
    send(meta, videoHeader('avc'), keyFrame(0), interFrame(40), keyFrame(80), interFrame(120))
    await eventually(() => expect(marksOf(a.server.peers[0])).toHaveLength(6))
    a.server.close()
    await eventually(() => expect(push.status.address).toBe(b.at))
    send(interFrame(160))
    await eventually(() => expect(marksOf(b.server.peers[0]).slice(-3)).toEqual(['80', '120', '160']))
    expect(marksOf(b.server.peers[0]).slice(0, 2)).toEqual(['meta', 'avc'])
    expect(push.status).toMatchObject({ retries: 1, lastError: expect.stringContaining('RTMP_CLOSED') })
    expect(lines).toContainEqual(expect.objectContaining({ code: 'RTMP_CLOSED', upstream: a.at }))
    expect(lines.at(-1)).toMatchObject({ upstream: b.at, failures: 1 })
  })

  test('to a cut network goes on at the next one: a server that answered pings does not any more', async () => {
    const [a, b] = [await origin(), await origin()]
    const { push, attach, taken } = setUp([a.at, b.at], { originSilence: 0.4 })
    await taken()
    attach()
    const { socket } = a.server.peers[0]!
    const before = socket.bytesRead
    // With the third ping, of 18 bytes, the answers to those before it have come.
    await eventually(() => expect(socket.bytesRead - before).toBeGreaterThanOrEqual(3 * 18))
    socket.pause()
    await eventually(() => expect(push.status.address).toBe(b.at))
    expect(push.status.lastError).toContain('UPSTREAM_SILENT')
  })

  test('is patient with one that still has its old connection', async () => {
    let tries = 0
    const { server, at } = await origin((peer) => {
      tries += 1
      if (tries === 2 || tries === 3) refusing('busy')(peer)
    })
    const { push, attach, send, taken } = setUp([at])
    await taken()
    attach()
    send(keyFrame(0))
    server.peers[0]?.socket.destroy()
    await eventually(() => expect(push.status).toMatchObject({ address: at, retries: 3 }))
    await eventually(() => expect(marksOf(server.peers[3])).toEqual(['0']))
  })

  test('because another publisher has the stream now leaves it to that one', async () => {
    const { server, at } = await origin()
    const { attach, taken, ended } = setUp([at])
    await taken()
    attach()
    server.peers[0]?.session.endPublish(1, 'NetStream.Publish.BadName', 'replaced')
    expect(await ended).toMatchObject({
      code: 'PUSH_REFUSED',
      message: 'NetStream.Publish.BadName: replaced',
    })
    expect(server.peers).toHaveLength(1)
  })

  test('ends when it has found none in time', async () => {
    const { server, at } = await origin()
    const { attach, taken, ended } = setUp([at], { pushTimeout: 0.2 })
    await taken()
    attach()
    server.close()
    expect(await ended).toMatchObject({
      code: 'PUSH_LOST',
      message: expect.stringContaining('no upstream server takes it: RTMP_CLOSED'),
    })
  })

  test('by the death of the process that had it, is patient too', async () => {
    let tries = 0
    const { at } = await origin((peer) => {
      tries += 1
      if (tries === 1) refusing('busy')(peer)
    })
    const { taken, accepted } = setUp([at], { granted: true })
    await taken()
    expect(accepted).not.toHaveBeenCalled()
  })

  test('by a reload goes on elsewhere, and stays where it may', async () => {
    const [a, b] = [await origin(), await origin()]
    const { push, attach, taken, health } = setUp([a.at])
    await taken()
    attach()
    push.upstreams = [b.at, a.at]
    expect(push.status.address).toBe(a.at)
    push.upstreams = [b.at]
    await eventually(() => expect(push.status.address).toBe(b.at))
    expect(a.server.peers).toHaveLength(1)
    await eventually(() => expect(a.server.peers[0]?.ended).toEqual(['unpublish']))
    expect(health).toEqual([
      [a.at, true],
      [b.at, true],
    ])
  })
})

test('a server that does not read costs a bounded queue, whatever comes', async () => {
  const { server, at } = await origin()
  const { push, attach, send, taken } = setUp([at])
  await taken()
  server.peers[0]?.socket.pause()
  attach()
  const body = Buffer.alloc(1024 * 1024)
  for (let frame = 0; frame < 200; frame++) send({ ...keyFrame(frame * 40), body })
  expect(push.status.packetsDropped).toBeGreaterThan(100)
})

describe.skipIf(!OtherHost.isPossible('a push over a network that is cut'))('a network that is cut', () => {
  test('is noticed, though nothing is reset, and the next server gets the stream', async () => {
    const [far, { server, at }] = [await OtherHost.start(), await origin()]
    onTestFinished(() => far.end())
    const { push, attach, send, taken } = setUp([far.url, at], { originSilence: 0.5 })
    await taken()
    attach()
    send(videoHeader('avc'), keyFrame(0))
    // With the third ping, of 18 bytes, it has answered those before: from then on silence means something.
    await eventually(() => expect(far.published).toBeGreaterThanOrEqual(4 * 18))
    far.cut()
    await eventually(() => expect(marksOf(server.peers[0])).toEqual(['avc', '0']))
    expect(push.status).toMatchObject({ address: at, lastError: expect.stringContaining('UPSTREAM_SILENT') })
  })
})
