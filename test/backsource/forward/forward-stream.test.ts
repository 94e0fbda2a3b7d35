import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { ForwardStream } from '../../../src/backsource/forward/forward-stream.ts'
import type { OutputHost } from '../../../src/backsource/stream-output.ts'
import type { ForwardStatus } from '../../../src/ipc/forward-facts.ts'
import { Source } from '../../../src/live/source.ts'
import { amfObject } from '../../../src/media/amf-value.ts'
import { encodeAmf0 } from '../../../src/media/amf0-writer.ts'
import type { Packet } from '../../../src/media/packet.ts'
import { hopOf } from '../../../src/rtmp/forward-route.ts'
import { type Peer, TinyServer } from '../../client/tiny-server.ts'
import { configOf } from '../../support/config.ts'
import { eventually } from '../../support/eventually.ts'
import { recordingLogger } from '../../support/logger.ts'
import { interFrame, keyFrame, metadata, sound, videoHeader } from '../../support/packets.ts'

const servers: TinyServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A server to forward to. */
async function destination(change?: (peer: Peer) => void): Promise<{ server: TinyServer; at: string }> {
  const server = new TinyServer(change)
  servers.push(server)
  return { server, at: (await server.listen()).slice('rtmp://'.length) }
}

const sourceOptions = {
  ...({ timeJitter: 'full', atc: false, gopCache: true } as const),
  gopCacheLimits: { maxDurationMs: 30_000, maxBytes: 1e7 },
}

/** A stream with a source and an output that forwards it, as in a back-source. */
function setUp(text: string, { pauseMs = 10, vhost = '__defaultVhost__' } = {}) {
  const { logger, lines } = recordingLogger()
  const source = new Source(sourceOptions)
  let publisher = { param: '?token=1', route: [] as string[] }
  let config = configOf(`vhost ${vhost} { ${text} }`)
  const host: OutputHost = {
    stream: `${vhost}/live/x`,
    serverId: 's1',
    ownToken: '',
    logger,
    get config() {
      return config
    },
    hooks: { onDvr: () => {}, onHls: () => {} },
    publisher: () => ({
      ...{ clientId: source.sourceId, ip: '10.0.0.1', vhost, app: 'live', stream: 'x' },
      param: publisher.param,
    }),
    origin: () => ({ tcUrl: 'rtmp://host/live', route: publisher.route }),
    isAbsolute: () => false,
    join: (consumer) => source.join(consumer),
    leave: (consumer) => source.leave(consumer),
    disconnect: () => {},
  }
  const output = new ForwardStream(config.vhosts[vhost]!.forward, host, pauseMs)
  source.join(output)
  onTestFinished(() => output.close())
  const states = (): ForwardStatus['state'][] => (output.facts.forwards ?? []).map(({ state }) => state)
  return {
    ...{ source, output, lines, states },
    push: (...packets: Packet[]) => {
      for (const packet of packets) source.push(packet)
    },
    reload: (changed: string) => {
      config = configOf(`vhost ${vhost} { ${changed} }`)
      return output.reconfigure(config.vhosts[vhost]!)
    },
    publishAs: (facts: Partial<typeof publisher>) => {
      publisher = { param: '', route: [], ...facts }
      source.publish('pub2')
    },
    forwarding: () => eventually(() => expect(new Set(states())).toStrictEqual(new Set(['forwarding']))),
  }
}

/** A body that a server reads as metadata, not only as bytes. */
const meta = metadata(encodeAmf0('onMetaData', amfObject({ width: 16 })))

function marksOf(peer: Peer | undefined): string[] {
  return (peer?.packets ?? []).map(({ type, body }) => (type === meta.type ? 'meta' : body.toString()))
}

/** A server may have had several connections: what came over one of them. */
async function arrived(server: TinyServer, expected: string[], connection = 0): Promise<void> {
  await eventually(() => expect(marksOf(server.peers[connection])).toStrictEqual(expected))
}

describe('a stream', () => {
  test('reaches several servers whole, as it would reach a player', async () => {
    const [a, b] = [await destination(), await destination()]
    const { source, push, forwarding, output } = setUp(`forward ${a.at} ${b.at};`)
    expect(output.facts.forwards).toMatchObject([
      { destination: a.at, state: 'waiting', bytesOut: 0 },
      { state: 'waiting' },
    ])
    source.publish('pub1')
    push(meta, videoHeader('avc'), sound(0), keyFrame(10))
    await forwarding()
    push(interFrame(50))
    for (const { server } of [a, b]) await arrived(server, ['meta', 'avc', '0', '10', '50'])
    expect(output.facts.forwards?.[0]?.bytesOut).toBeGreaterThan(3000)
    expect(output.facts.forwards).toMatchObject([{ retries: 0, packetsDropped: 0, lastError: null }, {}])
  })

  test('has a line for each server in turn, with the bytes and the rate since the line before', async () => {
    const [a, b] = [await destination(), await destination()]
    const { source, push, forwarding, output, lines } = setUp(`forward ${a.at} ${b.at};`)
    output.logSummary()
    source.publish('pub1')
    push(keyFrame(0, Buffer.alloc(5000)))
    await forwarding()
    for (let turn = 0; turn < 2; turn += 1) output.logSummary()
    const told = lines.filter(({ msg }) => msg === 'forward: waiting' || msg === 'forward: going on')
    expect(told).toMatchObject([
      { destination: a.at, msg: 'forward: waiting', bytesOut: 0, kbpsOut: 0 },
      { destination: b.at, msg: 'forward: going on', dropped: 0, retries: 0 },
      { destination: a.at, msg: 'forward: going on', dropped: 0, retries: 0 },
    ])
    for (const { bytesOut, kbpsOut } of told.slice(1)) {
      expect(Number(bytesOut)).toBeGreaterThan(5000)
      expect(Number(kbpsOut)).toBeGreaterThan(0)
    }
  })

  test('is published under the same names, with the query of its publisher and its way', async () => {
    const { server, at } = await destination()
    const { source, forwarding } = setUp(`forward ${at};`, { vhost: 'tv.example' })
    source.publish('pub1')
    await forwarding()
    const { connect, publish } = server.peers[0]!
    expect(connect).toMatchObject({ app: 'live', tcUrl: `rtmp://tv.example:${at.split(':')[1]}/live` })
    expect(connect?.route).toStrictEqual([hopOf('s1', 'tv.example/live/x')])
    expect(publish).toMatchObject({ vhost: 'tv.example', app: 'live', stream: 'x', param: '?token=1' })
  })

  test('that ends is unpublished, and published anew with its next publisher, over one connection at a time', async () => {
    const { server, at } = await destination()
    const { source, push, forwarding, states } = setUp(`forward ${at};`)
    source.publish('pub1')
    push(keyFrame(0))
    await forwarding()
    push(interFrame(40))
    source.unpublish()
    expect(states()).toStrictEqual(['waiting'])
    source.publish('pub2')
    push(keyFrame(0, 'second'))
    await forwarding()
    await arrived(server, ['0', '40'])
    await arrived(server, ['second'], 1)
    expect(server.peers[0]?.ended).toStrictEqual(['unpublish'])
    expect(server.peers[0]?.socket.closed).toBe(true)
  })

  test('whose publisher is replaced goes on over the same connection', async () => {
    const { server, at } = await destination()
    const { source, push, publishAs, forwarding } = setUp(`forward ${at};`)
    source.publish('pub1')
    push(keyFrame(0))
    await forwarding()
    publishAs({ param: '?token=2' })
    push(interFrame(40), keyFrame(80))
    await arrived(server, ['0', '80'])
    expect(server.peers).toHaveLength(1)
  })
})

describe('a server that fails', () => {
  test('gets the headers and the GOP again, as often as it comes back, and the others do not notice', async () => {
    const [a, b] = [await destination(), await destination()]
    const { source, push, forwarding, output, lines } = setUp(`forward ${a.at} ${b.at};`)
    source.publish('pub1')
    push(meta, videoHeader('avc'), keyFrame(0))
    await forwarding()
    for (const connection of [1, 2]) {
      await arrived(a.server, ['meta', 'avc', '0'], connection - 1)
      a.server.peers[connection - 1]!.socket.destroy()
      await arrived(a.server, ['meta', 'avc', '0'], connection)
    }
    await forwarding()
    push(interFrame(40))
    await arrived(a.server, ['meta', 'avc', '0', '40'], 2)
    await arrived(b.server, ['meta', 'avc', '0', '40'])
    expect(b.server.peers).toHaveLength(1)
    expect(output.facts.forwards).toMatchObject([
      { retries: 2, lastError: expect.stringContaining('RTMP_CLOSED') },
      { retries: 0, lastError: null },
    ])
    expect(lines.filter(({ level }) => level >= 40)).toMatchObject([
      { code: 'RTMP_CLOSED', destination: a.at, failures: 1 },
      { code: 'RTMP_CLOSED', destination: a.at, failures: 1 },
    ])
  })

  test('by refusing, or by not being there, is tried again; one line tells it', async () => {
    let refused = 0
    const { at } = await destination((peer) => {
      peer.handler.onPublish = ({ streamId }) => {
        refused += 1
        if (refused > 3) peer.session.acceptPublish(streamId)
        else peer.session.rejectPublish(streamId, 'NetStream.Publish.BadName', 'busy')
      }
    })
    const { source, forwarding, output, lines } = setUp(`forward ${at};`)
    source.publish('pub1')
    await forwarding()
    expect(output.facts.forwards).toMatchObject([{ retries: 3, lastError: expect.stringContaining('busy') }])
    expect(lines.filter(({ level }) => level >= 40)).toHaveLength(1)
    expect(lines.at(-1)).toMatchObject({ failures: 3, msg: 'forward: the stream is forwarded' })
  })

  test('is not tried any more once nobody publishes', async () => {
    const { server, at } = await destination((peer) => {
      peer.handler.onPublish = ({ streamId }) => peer.session.rejectPublish(streamId, 'x', 'busy')
    })
    const { source, states, output } = setUp(`forward ${at};`, { pauseMs: 60_000 })
    source.publish('pub1')
    await eventually(() => expect(states()).toStrictEqual(['retrying']))
    source.unpublish()
    await output.close()
    expect(states()).toStrictEqual(['waiting'])
    expect(server.peers).toHaveLength(1)
  })

  test('while the end of a stream is on its way to it is not said to be tried again', async () => {
    const { server, at } = await destination((peer) => {
      peer.handler.onPublish = ({ streamId }) => {
        peer.session.acceptPublish(streamId)
        peer.socket.pause()
      }
    })
    const { source, push, forwarding, states, output } = setUp(`forward ${at};`)
    source.publish('pub1')
    await forwarding()
    const body = Buffer.alloc(1024 * 1024)
    push(keyFrame(0, body), ...Array.from({ length: 10 }, (_, index) => interFrame(40 + 40 * index, body)))
    source.unpublish()
    expect(states()).toStrictEqual(['waiting'])
    server.peers[0]!.socket.destroy()
    await eventually(() => expect(output.facts.forwards?.[0]?.lastError).not.toBeNull())
    expect(states()).toStrictEqual(['waiting'])
  })

  test('that reads nothing costs a bounded queue, then its connection', async () => {
    const { server, at } = await destination((peer) => {
      peer.handler.onPublish = ({ streamId }) => {
        peer.session.acceptPublish(streamId)
        peer.socket.pause()
      }
    })
    const { source, push, forwarding, output } = setUp(`forward ${at};`)
    source.publish('pub1')
    await forwarding()
    const now = vi.spyOn(performance, 'now')
    const start = performance.now()
    const body = Buffer.alloc(1024 * 1024)
    push(keyFrame(0, body))
    for (let index = 1; index < 40; index += 1) {
      push(interFrame(40 * index, body))
      // What the system takes for the server leaves at once.
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(output.facts.forwards?.[0]?.packetsDropped).toBeGreaterThan(10)
    now.mockReturnValue(start + 40_000)
    push(interFrame(1640, body))
    await eventually(() => expect(server.peers.length).toBeGreaterThan(1))
    expect(output.facts.forwards?.[0]?.lastError).toMatch(/^FORWARD_SLOW/)
  })
})

describe('a stream that has come from there', () => {
  test('is refused for good, until it is published anew', async () => {
    const { server, at } = await destination((peer) => {
      peer.handler.onPublish = ({ streamId }) =>
        peer.session.rejectPublish(streamId, 'NetStream.Publish.BadName', 'FORWARD_LOOP: from here')
    })
    const { source, states, publishAs, lines, reload } = setUp(`forward ${at};`, { pauseMs: 1 })
    source.publish('pub1')
    await eventually(() => expect(states()).toStrictEqual(['refused']))
    expect(lines.at(-1)).toMatchObject({ level: 50, code: 'FORWARD_LOOP', destination: at })
    publishAs({ route: ['aaaaaaaaaaaa'] })
    await eventually(() => expect(server.peers).toHaveLength(2))
    await eventually(() =>
      expect(server.peers[1]?.connect?.route).toStrictEqual([
        'aaaaaaaaaaaa',
        hopOf('s1', '__defaultVhost__/live/x'),
      ]),
    )
    await eventually(() => expect(states()).toStrictEqual(['refused']))
    reload(`forward ${at};`)
    await eventually(() => expect(server.peers).toHaveLength(3))
  })
})

describe('a reload', () => {
  test('adds and removes destinations and leaves the others alone', async () => {
    const [a, b, c] = [await destination(), await destination(), await destination()]
    const { source, push, forwarding, reload, output } = setUp(`forward ${a.at} ${b.at};`)
    source.publish('pub1')
    push(videoHeader('avc'), keyFrame(0))
    await forwarding()
    expect(reload(`forward ${b.at} ${c.at};`)).toBe(true)
    await forwarding()
    push(interFrame(40))
    await arrived(b.server, ['avc', '0', '40'])
    await arrived(c.server, ['avc', '0', '40'])
    await eventually(() => expect(a.server.peers[0]?.ended).toStrictEqual(['unpublish']))
    await arrived(a.server, ['avc', '0'])
    expect(b.server.peers).toHaveLength(1)
    expect(output.facts.forwards?.map((forward) => forward.destination)).toStrictEqual([b.at, c.at])
  })

  test('that turns it off is for the owner to act on', () => {
    const { reload } = setUp('forward 127.0.0.1:1;')
    expect(reload('forward { enabled off; destination 127.0.0.1:1; }')).toBe(false)
    expect(reload('')).toBe(false)
  })
})

describe('a backend', () => {
  /** Answers with what it is told to; null: a failure. */
  async function backend(answer: () => string[] | null): Promise<{ url: string; asked: unknown[] }> {
    const asked: unknown[] = []
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      asked.push(JSON.parse(Buffer.concat(chunks).toString()))
      const urls = answer()
      response.statusCode = urls === null ? 500 : 200
      response.end(JSON.stringify({ code: 0, data: { urls } }))
    }).listen(0, '127.0.0.1')
    onTestFinished(() => {
      server.closeAllConnections()
      server.close()
    })
    await once(server, 'listening')
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/forward`, asked }
  }

  test('says for each publish where it goes; what is configured does not count then', async () => {
    const [a, b, c] = [await destination(), await destination(), await destination()]
    let urls = [`rtmp://${a.at}/up/key1`, `rtmp://${b.at}/up/key2`]
    const { url, asked } = await backend(() => urls)
    const { source, push, forwarding, publishAs, output } = setUp(
      `forward { enabled on; destination ${c.at}; backend ${url}; }`,
    )
    source.publish('pub1')
    push(keyFrame(0))
    await eventually(() => expect(output.facts.forwards).toHaveLength(2))
    await forwarding()
    expect(asked).toMatchObject([
      { action: 'on_forward', client_id: 'pub1', ip: '10.0.0.1', stream: 'x', param: '?token=1' },
    ])
    expect(a.server.peers[0]?.publish).toMatchObject({ app: 'up', stream: 'key1' })
    expect(output.facts.forwards?.[0]?.destination).toBe(`${a.at}/up`)
    urls = [`rtmp://${b.at}/up/key2`, 'nonsense']
    publishAs({ param: '' })
    push(keyFrame(0, 'second'))
    await eventually(() => expect(output.facts.forwards).toHaveLength(1))
    await arrived(b.server, ['0', 'second'])
    await eventually(() => expect(a.server.peers[0]?.ended).toStrictEqual(['unpublish']))
    expect(b.server.peers).toHaveLength(1)
    expect(c.server.peers).toHaveLength(0)
  })

  test('that fails is asked again, and costs one line', async () => {
    const { server, at } = await destination()
    let failures = 0
    const { url } = await backend(() => {
      failures += 1
      return failures > 3 ? [`rtmp://${at}/live/x`] : null
    })
    const { source, push, lines } = setUp(`forward { enabled on; backend ${url}; }`)
    source.publish('pub1')
    push(keyFrame(0))
    await arrived(server, ['0'])
    expect(lines.filter(({ level }) => level >= 40)).toMatchObject([
      { code: 'FORWARD_BACKEND', reason: expect.stringContaining('500') },
    ])
  })

  test('comes and goes with a reload', async () => {
    const [a, b] = [await destination(), await destination()]
    const { url, asked } = await backend(() => [`rtmp://${b.at}/live/x`])
    const { source, push, forwarding, reload } = setUp(`forward ${a.at};`)
    source.publish('pub1')
    push(keyFrame(0))
    await forwarding()
    reload(`forward { enabled on; backend ${url}; }`)
    await arrived(b.server, ['0'])
    await eventually(() => expect(a.server.peers[0]?.ended).toStrictEqual(['unpublish']))
    reload(`forward { enabled on; backend ${url}; }`)
    expect(asked).toHaveLength(1)
    reload(`forward ${a.at};`)
    await arrived(a.server, ['0'], 1)
    await eventually(() => expect(b.server.peers[0]?.ended).toStrictEqual(['unpublish']))
  })
})
