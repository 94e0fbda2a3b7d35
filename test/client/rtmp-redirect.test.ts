import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { RtmpClient, type RtmpClientOptions } from '../../src/client/rtmp-client.ts'
import { redirectedUrl } from '../../src/client/rtmp-redirect.ts'
import { parseRtmpUrl } from '../../src/client/rtmp-url.ts'
import type { Packet } from '../../src/media/packet.ts'
import { type Redirect, redirectObject, redirectTo } from '../../src/rtmp/redirect.ts'
import { selfSigned } from '../support/certificates.ts'
import { tempDir } from '../support/temp-dir.ts'
import { collect } from './collect.ts'
import { type Peer, TinyServer } from './tiny-server.ts'

const servers: TinyServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function serve(change?: (peer: Peer) => void): Promise<{ base: string; server: TinyServer }> {
  const server = new TinyServer(change)
  servers.push(server)
  return { base: await server.listen(), server }
}

type Asked = 'connect' | 'publish' | 'play'

/** A server that sends on whoever asks that of it. */
async function sendOn(asked: Asked, redirect: () => Redirect): Promise<{ base: string; server: TinyServer }> {
  return serve(({ handler, session }) => {
    if (asked === 'connect') handler.onConnect = () => session.redirectConnect(redirect())
    if (asked === 'publish')
      handler.onPublish = ({ streamId }) => session.redirectPublish(streamId, redirect())
    if (asked === 'play') handler.onPlay = ({ streamId }) => session.redirectPlay(streamId, redirect())
  })
}

const one = { vhost: '__defaultVhost__', app: 'live', stream: 'one', param: '?key=k' }

function audio(timestamp: number): Packet {
  return { type: 8, flags: 0, timestamp, body: Buffer.alloc(3, 0x2f) }
}

async function publish(url: string, options?: RtmpClientOptions): Promise<RtmpClient> {
  const client = await RtmpClient.connect(url, options)
  await client.publish('append')
  return client
}

describe('a client that is sent elsewhere', () => {
  test.each<Asked>(['connect', 'publish'])('when it asks to %s, publishes there', async (asked) => {
    const target = await serve()
    const first = await sendOn(asked, () => redirectTo(target.base, one))
    const onRedirect = vi.fn()
    const closed = Promise.withResolvers<Error | null>()
    const client = await publish(`${first.base}/live/one?key=k`, { onRedirect, onClose: closed.resolve })
    expect(client.send(audio(0))).toBe(true)
    client.close()
    expect(await closed.promise).toBeNull()
    expect(target.server.peers[0]).toMatchObject({
      connect: { tcUrl: `${target.base}/live` },
      publish: { stream: 'one', param: '?key=k', type: 'append' },
      packets: [audio(0)],
      ended: ['unpublish'],
    })
    expect(onRedirect).toHaveBeenCalledExactlyOnceWith(target.base.slice('rtmp://'.length))
    expect(client.address).toBe(target.base.slice('rtmp://'.length))
    expect(client.bytesReceived).toBeGreaterThan(2 * 3073)
    await vi.waitFor(() => expect(first.server.peers[0]?.socket.destroyed).toBe(true))
  })

  test('plays there what it was to play here', async () => {
    const target = await serve()
    const first = await sendOn('play', () => redirectTo(target.base, one))
    const client = await RtmpClient.connect(`${first.base}/live/one`)
    await client.play({ start: -1 })
    const { session, play } = target.server.peers[0]!
    session.sendPacket(1, audio(20))
    session.endPlay(1, 'NetStream.Play.Stop', 'over')
    expect(await collect(client.packets())).toEqual([audio(20)])
    expect(play).toMatchObject({ stream: 'one', param: '?key=k', start: -1 })
  })

  test('after its play was accepted, as SRS does, goes on by itself', async () => {
    const target = await serve()
    const first = await serve(({ handler, session }) => {
      handler.onPlay = ({ streamId }) => {
        session.acceptPlay(streamId)
        session.sendCall('onStatus', redirectObject(redirectTo(target.base, one)))
      }
    })
    const client = await RtmpClient.connect(`${first.base}/live/one`)
    await client.play()
    await vi.waitFor(() => expect(target.server.peers[0]?.play?.stream).toBe('one'))
    const { session } = target.server.peers[0]!
    session.sendPacket(1, audio(20))
    session.endPlay(1, 'NetStream.Play.Stop', 'over')
    expect(await collect(client.packets())).toEqual([audio(20)])
  })

  test('to a server that accepts its play and then nothing, after a play that was accepted, gives up', async () => {
    const target = await serve(({ handler }) => {
      handler.onPlay = () => {}
    })
    const first = await serve(({ handler, session }) => {
      handler.onPlay = ({ streamId }) => session.acceptPlay(streamId)
    })
    const closed = Promise.withResolvers<Error | null>()
    const options = { timeoutMs: 2000, onClose: closed.resolve }
    const client = await RtmpClient.connect(`${first.base}/live/one`, options)
    await client.play()
    first.server.peers[0]?.session.sendCall('onStatus', redirectObject(redirectTo(target.base, one)))
    expect(await closed.promise).toMatchObject({ code: 'RTMP_TIMEOUT' })
  })

  test('in a circle, is told so', async () => {
    const bases: string[] = []
    const a = await sendOn('connect', () => redirectTo(bases[1]!, one))
    const b = await sendOn('publish', () => redirectTo(bases[0]!, one))
    bases.push(a.base, b.base)
    await expect(publish(`${a.base}/live/one`)).rejects.toMatchObject({
      code: 'RTMP_REDIRECT',
      message: expect.stringContaining('in a circle'),
    })
  })

  test('on and on, is told so', async () => {
    const target = await serve()
    let hops = target
    for (let count = 0; count < 3; count++) {
      const { base } = hops
      hops = await sendOn('connect', () => redirectTo(base, one))
    }
    const client = await publish(`${hops.base}/live/one`, { maxRedirects: 3 })
    expect(client.closed).toBe(false)
    client.close()
    await expect(publish(`${hops.base}/live/one`, { maxRedirects: 2 })).rejects.toMatchObject({
      code: 'RTMP_REDIRECT',
      message: expect.stringContaining('more than 2 times'),
    })
  })

  test('when nobody is there, fails as without', async () => {
    const target = await serve()
    target.server.close()
    const first = await sendOn('connect', () => redirectTo(target.base, one))
    await expect(publish(`${first.base}/live/one`)).rejects.toMatchObject({ code: 'RTMP_CLOSED' })
  })

  test('keeps the address that it was told to name, and takes another one with another application', async () => {
    const target = await serve()
    const first = await sendOn('connect', () => ({ tcUrl: target.base, url: '' }))
    const options = { tcUrl: 'rtmp://v.example/live' }
    const client = await RtmpClient.connect(`${first.base}/live/one`, options)
    expect(target.server.peers[0]?.connect).toMatchObject({ app: 'live', tcUrl: options.tcUrl })
    client.close()
    const other = await sendOn('connect', () => ({ tcUrl: `${target.base}/other/`, url: '' }))
    const moved = await RtmpClient.connect(`${other.base}/live/one`, options)
    expect(target.server.peers[1]?.connect).toMatchObject({ app: 'other', tcUrl: `${target.base}/other` })
    moved.close()
  })

  test('to a server with TLS, and never back', async () => {
    const { cert, key, pem } = selfSigned(tempDir())
    const secure = new TinyServer(() => {}, { cert: readFileSync(cert), key: readFileSync(key) })
    servers.push(secure)
    const base = await secure.listen()
    const first = await sendOn('connect', () => redirectTo(base, one))
    const client = await publish(`${first.base}/live/one`, { tls: { ca: pem } })
    expect(secure.peers[0]?.publish).toMatchObject({ stream: 'one' })
    client.close()
    const from = parseRtmpUrl('rtmps://a/live/one')
    expect(() => redirectedUrl(from, { tcUrl: 'rtmp://b/live', url: '' })).toThrow('from rtmps:// to rtmp://')
  })

  test('that publishes is not followed: it ends, and whoever has the stream begins anew', async () => {
    const { base, server } = await serve()
    const closed = Promise.withResolvers<Error | null>()
    await publish(`${base}/live/one`, { onClose: closed.resolve })
    server.peers[0]?.session.sendCall('onStatus', redirectObject(redirectTo('rtmp://127.0.0.1:1', one)))
    expect(await closed.promise).toMatchObject({ code: 'RTMP_REJECTED' })
  })

  test('that is closed on the way does not arrive', async () => {
    const target = await serve()
    const stop = new AbortController()
    const first = await sendOn('connect', () => redirectTo(target.base, one))
    const options = { signal: stop.signal, onRedirect: () => stop.abort() }
    await expect(publish(`${first.base}/live/one`, options)).rejects.toMatchObject({ code: 'RTMP_CLOSED' })
    expect(target.server.peers).toHaveLength(0)
  })
})

describe('where a redirect leads', () => {
  const from = 'rtmp://a/live/room/one?key=k'

  test.each<[string, Redirect, { host: string; port: number; app: string; stream: string }]>([
    [
      'a whole URL',
      { tcUrl: 'rtmp://c/x', url: 'rtmp://b:1936/live/two?x=1' },
      { host: 'b', port: 1936, app: 'live', stream: 'two?x=1' },
    ],
    [
      'an application',
      { tcUrl: 'rtmp://b/other', url: '' },
      { host: 'b', port: 1935, app: 'other', stream: 'one?key=k' },
    ],
    [
      'SRS 3: a slash behind it',
      { tcUrl: 'rtmp://b:1/live/room?vhost=v/', url: '' },
      { host: 'b', port: 1, app: 'live/room?vhost=v', stream: 'one?key=k' },
    ],
    [
      'a server alone',
      { tcUrl: 'rtmp://[::1]:1936', url: '' },
      { host: '::1', port: 1936, app: 'live/room', stream: 'one?key=k' },
    ],
    [
      'the stream, where the application was to be',
      { tcUrl: 'rtmp://b/live/room/one', url: '' },
      { host: 'b', port: 1935, app: 'live/room', stream: 'one?key=k' },
    ],
  ])('%s', (_, redirect, url) => {
    expect(redirectedUrl(parseRtmpUrl(from), redirect)).toMatchObject(url)
  })

  test.each([
    { tcUrl: 'http://b/live', url: '' },
    { tcUrl: 'rtmp://b:99999/live', url: '' },
    { tcUrl: '', url: 'rtmp://b/live' },
  ])('nowhere: %o', (redirect) => {
    expect(() => redirectedUrl(parseRtmpUrl(from), redirect)).toThrow(
      expect.objectContaining({ code: 'RTMP_REDIRECT' }),
    )
  })
})
