import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Verdict } from '../../../src/access/access-check.ts'
import { AccessPipeline } from '../../../src/access/access-pipeline.ts'
import { monotonicMs } from '../../../src/base/clock.ts'
import { LiveSite } from '../../../src/http/live/live-site.ts'
import { opcode } from '../../../src/http/live/websocket.ts'
import type { ToMaster } from '../../../src/ipc/contract.ts'
import { FlvReader } from '../../../src/media/flv/reader.ts'
import { hopOf } from '../../../src/rtmp/forward-route.ts'
import { FakeCheck } from '../../support/access.ts'
import { fakeBackSource } from '../../support/back-source.ts'
import { configOf } from '../../support/config.ts'
import { recordingLogger } from '../../support/logger.ts'
import { interFrame, keyFrame, sound } from '../../support/packets.ts'
import { maskedFrame, readFrames } from './frames.ts'

const stream = '__defaultVhost__/live/x'
const path = '/live/x.flv'
const handshake = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

const full = { code: 'CONNECTION_LIMIT', message: 'max_connections 1 is reached' } as const

/** A site on a real port, with a master that admits everybody unless told otherwise. */
async function setUp(remux = '', settings = '') {
  const sent: ToMaster[] = []
  const { logger, lines } = recordingLogger()
  let admits = true
  const [local, hooks] = [new FakeCheck('local'), new FakeCheck('hooks')]
  local.isWanted = false
  hooks.isWanted = false
  const config = configOf(`${settings} vhost __defaultVhost__ { http_remux { enabled on; ${remux} } }`)
  const files = { has: async () => false, handle: () => expect.unreachable('no file is served here') }
  const host = {
    index: 1,
    serverId: 's1',
    httpOwner: '',
    httpOwnerOf: async () => host.httpOwner,
    onTaken: () => {},
    logger,
    config,
    access: new AccessPipeline(logger, [local], [hooks]),
    send: (message: ToMaster) => {
      sent.push(message)
      if (message.t !== 'admit') return
      const { connectionId } = message
      setImmediate(() => site.onMessage({ t: 'admission', connectionId, refusal: admits ? null : full }))
    },
  }
  const site = new LiveSite(host, files)
  const server = createServer((request, response) => {
    // What never ends keeps the answers behind it.
    if (!site.onRequest(request, response) && request.url !== '/endless') response.end('no stream')
  })
  server.on('upgrade', (request, socket, head) => site.onUpgrade(request, socket as Socket, head))
  server.listen(0)
  await once(server, 'listening')
  onTestFinished(() => {
    site.close()
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const back = await fakeBackSource(stream, 'one')
  /** The stream is published, and begins. */
  const goLive = async (): Promise<void> => {
    await vi.waitFor(() => expect(sent.some(({ t }) => t === 'watch')).toBe(true))
    site.onMessage(back.up())
    await back.subscribed()
    back.begin()
    back.media(1, sound(10))
  }
  const absent = async (): Promise<void> => {
    await vi.waitFor(() => expect(sent.some(({ t }) => t === 'watch')).toBe(true))
    site.onMessage({ t: 'source-absent', stream })
  }
  const ofViewers = (): string[] => sent.map(({ t }) => t).filter((t) => t === 'admit' || t === 'left')
  const closes = () => lines.filter(({ msg }) => msg === 'closed')
  return {
    host,
    site,
    port,
    back,
    sent,
    lines,
    goLive,
    absent,
    ofViewers,
    closes,
    local,
    hooks,
    refuse: () => (admits = false),
  }
}

/** A client that sends text and keeps what it gets. */
async function client(port: number, text: string) {
  const socket = connect(port)
  onTestFinished(() => {
    socket.destroy()
  })
  const pieces: Buffer[] = []
  socket.on('data', (bytes) => pieces.push(bytes))
  // A server that closes on a client that still sends resets the connection.
  socket.on('error', () => {})
  const ended = once(socket, 'close')
  await once(socket, 'connect')
  socket.write(text)
  const received = (): Buffer => Buffer.concat(pieces)
  const statusLine = async (): Promise<string> => {
    await vi.waitFor(() => expect(received().includes('\r\n')).toBe(true))
    return received().toString('latin1').split('\r\n')[0]!
  }
  /** What came behind the head. */
  const body = (): Buffer => {
    const at = received().indexOf('\r\n\r\n')
    return at < 0 ? Buffer.alloc(0) : received().subarray(at + 4)
  }
  const gets = async (text: string): Promise<void> =>
    vi.waitFor(() => expect(body().includes(text)).toBe(true))
  return { socket, received, statusLine, body, gets, ended }
}

const request = (...headers: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'Host: a', ...headers, '', ''].join('\r\n')

describe('a viewer over HTTP', () => {
  test('gets the stream until it leaves', async () => {
    const { port, back, goLive, ofViewers, closes, sent } = await setUp()
    const { statusLine, body, gets, socket } = await client(port, request())
    await goLive()
    expect(await statusLine()).toBe('HTTP/1.1 200 OK')
    back.media(1, interFrame(40, 'inter'))
    await gets('inter')
    const tags = new FlvReader().push(body())
    expect(tags.map((tag) => tag.body.toString())).toStrictEqual(['avc', 'one-key', '10', 'inter'])
    socket.destroy()
    await vi.waitFor(() => expect(closes()).toMatchObject([{ level: 30, reason: 'peer closed' }]))
    expect(ofViewers()).toStrictEqual(['admit', 'left'])
    expect(sent).toContainEqual(expect.objectContaining({ t: 'left', failed: false }))
    expect(sent.filter(({ t }) => t === 'watch').length).toBe(1)
  })

  test('that is not admitted is told that the server is full, and may ask again on its connection', async () => {
    const { port, refuse, goLive, closes, sent } = await setUp()
    refuse()
    const { statusLine, socket, received } = await client(port, request())
    await goLive()
    expect(await statusLine()).toBe('HTTP/1.1 503 Service Unavailable')
    expect(closes()).toMatchObject([{ level: 40, code: 'CONNECTION_LIMIT' }])
    expect(sent).toContainEqual(expect.objectContaining({ t: 'left', failed: true }))
    socket.write('GET /other HTTP/1.1\r\nHost: a\r\n\r\n')
    await vi.waitFor(() => expect(received().includes('no stream')).toBe(true))
  })

  test('that is a server which this one has the stream from is refused; others are known by their route', async () => {
    const { port, sent } = await setUp()
    const own = await client(port, request(`Weir-Route: ${hopOf('s2', stream)} ${hopOf('s1', stream)}`))
    expect(await own.statusLine()).toBe('HTTP/1.1 508 Loop Detected')
    expect(sent).toStrictEqual([])
    await client(port, request(`Weir-Route: ${hopOf('s2', stream)}`))
    await vi.waitFor(() => expect(sent).toContainEqual({ t: 'watch', stream, route: [hopOf('s2', stream)] }))
  })

  test('that leaves while it waits is forgotten', async () => {
    const { site, port, absent, ofViewers, closes } = await setUp()
    const { socket } = await client(port, request())
    await absent()
    await vi.waitFor(() => expect(ofViewers()).toStrictEqual(['admit']))
    socket.destroy()
    await vi.waitFor(() => expect(ofViewers()).toStrictEqual(['admit', 'left']))
    expect(closes()).toMatchObject([{ phase: 'waiting', reason: 'peer closed' }])
    expect(site.clients.size).toBe(0)
    expect(site.hub.status()).toMatchObject([{ players: 0 }])
  })

  test('that waits for long is not taken for stalled', async () => {
    const { site, port, absent, goLive, closes } = await setUp('hstrs_timeout 3600;', 'stall_timeout 1;')
    const { statusLine } = await client(port, request())
    await absent()
    await vi.waitFor(() => expect(site.clients.size).toBe(1))
    for (let second = 1; second <= 60; second += 1) site.sweep(monotonicMs() + second * 1000)
    expect(closes()).toStrictEqual([])
    await goLive()
    expect(await statusLine()).toBe('HTTP/1.1 200 OK')
  })

  test('may send a little more, which nobody reads; who sends much is closed', async () => {
    const { port, goLive, closes } = await setUp()
    const viewer = await client(port, request())
    await goLive()
    await viewer.gets('one-key')
    viewer.socket.write(request())
    await new Promise(setImmediate)
    expect(closes()).toStrictEqual([])
    viewer.socket.write(Buffer.alloc(100_000, 'x'))
    await viewer.ended
    expect(closes()).toMatchObject([{ level: 40, code: 'HTTP_REQUEST' }])
    expect(
      viewer
        .received()
        .toString('latin1')
        .match(/HTTP\/1\.1/g)?.length,
    ).toBe(1)
  })

  test('behind another request on its connection is refused', async () => {
    const { port, goLive, closes, site } = await setUp()
    await client(port, `GET /endless HTTP/1.1\r\nHost: a\r\n\r\n${request()}`)
    await goLive()
    await vi.waitFor(() => expect(closes()).toMatchObject([{ level: 40, code: 'HTTP_REQUEST' }]))
    expect(site.clients.size).toBe(0)
  })

  test('stays while its stream may come back, and no longer', async () => {
    const { site, port, back, goLive, closes } = await setUp('', 'source_linger 10;')
    const viewer = await client(port, request())
    await goLive()
    await viewer.gets('one-key')
    back.say('idle')
    await vi.waitFor(() => expect(back.asked.length).toBeGreaterThan(0))
    back.begin()
    await vi.waitFor(() => expect(viewer.body().toString('latin1').split('one-key').length).toBe(3))
    back.say('idle')
    await vi.waitFor(() => {
      site.sweep(monotonicMs() + 9000)
      expect(closes()).toStrictEqual([])
      site.sweep(monotonicMs() + 11_000)
      expect(closes()).toMatchObject([{ level: 30, reason: 'the stream ended' }])
    })
    await viewer.ended
  })

  test('shows in the summary line', async () => {
    const { site, port, goLive, lines } = await setUp()
    const viewer = await client(port, request())
    await goLive()
    await viewer.gets('one-key')
    site.sweep(monotonicMs() + 10_000)
    expect(lines.at(-1)).toMatchObject({ msg: 'play: going on', stream: 'live/x', sid: 'one' })
  })
})

describe('a viewer of a stream that another node of the cluster owns', () => {
  const redirects = 'cluster { registry redis; node a; advertise rtmp://a; redirect on; }'
  const get = (port: number, headers = {}) =>
    fetch(`http://127.0.0.1:${port}${path}?a=b`, { redirect: 'manual', headers })

  test('is sent there with redirect on, before anybody here wants the stream', async () => {
    const { host, port, sent } = await setUp('', redirects)
    host.httpOwner = 'http://192.0.2.1:8080'
    const answer = await get(port)
    expect(answer.status).toBe(302)
    expect(answer.headers.get('location')).toBe(`http://192.0.2.1:8080${path}?a=b`)
    expect(sent).toEqual([])
  })

  test.each<[who: string, settings: string, owner: string, headers: Record<string, string>]>([
    ['with redirect off', redirects.replace('on', 'off'), 'http://192.0.2.1:8080', {}],
    ['whose node does not tell its HTTP server', redirects, '', {}],
    ['and is a server itself', redirects, 'http://192.0.2.1:8080', { 'weir-route': hopOf('s2', stream) }],
  ])('%s is served here', async (_, settings, owner, headers) => {
    const { host, port, goLive } = await setUp('', settings)
    host.httpOwner = owner
    const [answer] = await Promise.all([get(port, headers), goLive()])
    expect(answer.status).toBe(200)
    await answer.body?.cancel()
  })

  test('is not told where that is when it is refused here', async () => {
    const { host, port, local } = await setUp('', redirects)
    host.httpOwner = 'http://192.0.2.1:8080'
    local.isWanted = true
    local.verdict = { ok: false, code: 'TOKEN_MISSING', message: 'no' }
    expect((await get(port)).status).toBe(401)
  })
})

describe('a viewer over WebSocket', () => {
  async function watching(remux = '') {
    const all = await setUp(remux)
    const viewer = await client(all.port, request(...handshake))
    await all.goLive()
    expect(await viewer.statusLine()).toBe('HTTP/1.1 101 Switching Protocols')
    await viewer.gets('one-key')
    const frames = () => readFrames(viewer.body())
    return { ...all, viewer, frames }
  }

  test('gets messages, the first of them the file header', async () => {
    const { viewer, frames, back } = await watching()
    back.media(1, keyFrame(1000, 'next'))
    await viewer.gets('next')
    expect(new Set(frames().map(({ code }) => code))).toStrictEqual(new Set([opcode.binary]))
    const tags = new FlvReader().push(Buffer.concat(frames().map(({ payload }) => payload)))
    expect(tags.map((tag) => tag.body.toString())).toStrictEqual(['avc', 'one-key', '10', 'next'])
    expect(viewer.received().toString('latin1')).toContain(
      'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    )
  })

  test('is answered when it pings, up to ten times a second', async () => {
    const { site, viewer, frames } = await watching()
    for (let ping = 0; ping < 50; ping += 1) viewer.socket.write(maskedFrame(opcode.ping, Buffer.of(ping)))
    const pongs = () => frames().filter(({ code }) => code === opcode.pong)
    await vi.waitFor(() => expect(pongs().length).toBe(10))
    expect(pongs()[9]!.payload).toStrictEqual(Buffer.of(9))
    site.sweep(monotonicMs())
    viewer.socket.write(maskedFrame(opcode.ping, Buffer.of(99)))
    await vi.waitFor(() => expect(pongs().at(-1)?.payload).toStrictEqual(Buffer.of(99)))
    expect(pongs().length).toBe(11)
  })

  test('is pinged, and closed when it does not answer for a minute', async () => {
    const { site, viewer, frames, closes } = await watching()
    const begin = monotonicMs()
    site.sweep(begin + 31_000)
    await vi.waitFor(() => expect(frames().at(-1)).toMatchObject({ code: opcode.ping }))
    site.sweep(begin + 61_000)
    await viewer.ended
    expect(closes()).toMatchObject([{ code: 'PLAYER_STALLED' }])
  })

  test('that says goodbye is answered and closed', async () => {
    const { viewer, frames, closes } = await watching()
    viewer.socket.write(maskedFrame(opcode.close, Buffer.of(3, 232)))
    await viewer.ended
    expect(frames().at(-1)).toMatchObject({ code: opcode.close })
    expect(closes()).toMatchObject([{ level: 30, reason: 'peer closed' }])
  })

  test('that breaks the protocol is told so and closed', async () => {
    const { viewer, frames, closes } = await watching()
    viewer.socket.write(Buffer.of(0x81, 1, 65))
    await viewer.ended
    const goodbyes = frames().filter(({ code }) => code === opcode.close)
    expect(goodbyes.map(({ payload }) => payload.readUInt16BE(0))).toStrictEqual([1002])
    expect(closes()).toMatchObject([{ level: 40, code: 'HTTP_WEBSOCKET' }])
  })

  test('that does not wait for the answer is closed', async () => {
    const { port, closes } = await setUp()
    const { ended } = await client(port, `${request(...handshake)}early`)
    await ended
    expect(closes()).toMatchObject([{ code: 'HTTP_WEBSOCKET' }])
  })

  test('that is not admitted is told that the server is full', async () => {
    const { port, refuse, goLive } = await setUp()
    refuse()
    const { statusLine, ended } = await client(port, request(...handshake))
    await goLive()
    expect(await statusLine()).toBe('HTTP/1.1 503 Service Unavailable')
    await ended
  })
})

describe('a viewer that has to be checked', () => {
  const no: Verdict = { ok: false, code: 'ACCESS_FAILED', message: 'not you' }

  test('gets the stream after the verdict, and its end is told', async () => {
    const { port, goLive, hooks, local } = await setUp()
    hooks.isWanted = local.isWanted = true
    hooks.waits = true
    const headers = ['Referer: http://page.example/']
    const { received, statusLine, socket } = await client(
      port,
      request(...headers).replace('.flv', '.flv?token=1'),
    )
    await vi.waitFor(() => expect(hooks.asked).toHaveLength(1))
    expect(hooks.asked[0]).toMatchObject({
      ...{ action: 'play', vhost: '__defaultVhost__', app: 'live', stream: 'x', param: '?token=1' },
      ...{ pageUrl: 'http://page.example/', tcUrl: 'http://a/live', protocol: 'http-flv' },
    })
    await goLive()
    expect(received()).toHaveLength(0)
    hooks.answer(hooks.accepting({ action: 'play' }))
    expect(await statusLine()).toBe('HTTP/1.1 200 OK')
    socket.end()
    await vi.waitFor(() => expect(hooks.ended).toStrictEqual(['play']))
    expect(local.ended).toStrictEqual(['play'])
    expect(hooks.traffic[0]!.sendBytes).toBeGreaterThan(0)
  })

  test('is refused without a word about the stream', async () => {
    const { port, hooks, closes } = await setUp()
    hooks.isWanted = true
    hooks.verdict = no
    const { statusLine } = await client(port, request())
    expect(await statusLine()).toBe('HTTP/1.1 403 Forbidden')
    expect(closes()).toMatchObject([{ code: 'ACCESS_FAILED' }])
    expect(hooks.ended).toStrictEqual([])
  })

  test('and has gone by then was let in for nothing', async () => {
    const { port, hooks, closes } = await setUp()
    hooks.isWanted = hooks.waits = true
    const { socket } = await client(port, request())
    await vi.waitFor(() => expect(hooks.asked).toHaveLength(1))
    socket.destroy()
    await vi.waitFor(() => expect(closes()).toHaveLength(1))
    hooks.answer(hooks.accepting({ action: 'play' }))
    await vi.waitFor(() => expect(hooks.ended).toStrictEqual(['play']))
  })

  test('with HEAD is checked here only', async () => {
    const { port, hooks, local, absent } = await setUp()
    hooks.isWanted = local.isWanted = true
    const head = request().replace('GET', 'HEAD')
    const allowed = await client(port, head)
    await absent()
    expect(await allowed.statusLine()).toBe('HTTP/1.1 404 Not Found')
    local.verdict = no
    const refused = await client(port, head)
    expect(await refused.statusLine()).toBe('HTTP/1.1 403 Forbidden')
    expect(hooks.asked).toStrictEqual([])
  })
})
