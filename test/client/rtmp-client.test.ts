import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { RtmpClient } from '../../src/client/rtmp-client.ts'
import { amfObject, getNumber } from '../../src/media/amf-value.ts'
import type { Packet } from '../../src/media/packet.ts'
import { selfSigned } from '../support/certificates.ts'
import { tempDir } from '../support/temp-dir.ts'
import { collect } from './collect.ts'
import { type Peer, TinyServer } from './tiny-server.ts'

const servers: TinyServer[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function serve(
  change?: (peer: Peer) => void,
  host?: string,
): Promise<{ base: string; server: TinyServer }> {
  const server = new TinyServer(change)
  servers.push(server)
  return { base: await server.listen(host), server }
}

function audio(timestamp: number, size = 3): Packet {
  return { type: 8, flags: 0, timestamp, body: Buffer.alloc(size, 0x2f) }
}

describe('connect', () => {
  test('tells the server where it goes and who it is', async () => {
    const { base, server } = await serve()
    const client = await RtmpClient.connect(`${base}/live/one?x=1`, {
      connectFields: { pageUrl: 'http://page' },
      connectArgs: amfObject({ srs_id: 7 }),
    })
    expect(client.information?.get('code')).toBe('NetConnection.Connect.Success')
    expect(getNumber(client.information?.get('data'), 'srs_id')).toBe(31)
    expect(server.peers[0]?.connect).toMatchObject({
      app: 'live',
      tcUrl: `${base}/live`,
      pageUrl: 'http://page',
    })
    expect(getNumber(server.peers[0]?.connect?.args, 'srs_id')).toBe(7)
    client.close()
  })

  test('with another tcUrl and the simple handshake', async () => {
    const handshakes: string[] = []
    const { base, server } = await serve((peer) => {
      peer.handler.onHandshake = (kind) => handshakes.push(kind)
    })
    const client = await RtmpClient.connect(`${base}/live/one`, {
      tcUrl: 'rtmp://edge/live',
      handshake: 'simple',
    })
    expect(server.peers[0]?.connect?.tcUrl).toBe('rtmp://edge/live')
    expect(handshakes).toEqual(['simple'])
    client.close()
  })

  test('over IPv6', async () => {
    const { base } = await serve(undefined, '::1')
    const client = await RtmpClient.connect(`${base}/live/one`)
    client.close()
  })

  test('over TLS, to a server with a certificate that it trusts', async () => {
    const { cert, key, pem } = selfSigned(tempDir())
    const server = new TinyServer(() => {}, { cert: readFileSync(cert), key: readFileSync(key) })
    servers.push(server)
    const base = await server.listen()
    expect(base).toMatch(/^rtmps:/)
    const client = await RtmpClient.connect(`${base}/live/one`, { tls: { ca: pem } })
    await client.publish()
    client.send(audio(0, 100_000))
    client.close()
    await vi.waitFor(() => expect(server.peers[0]?.packets.map(({ body }) => body.length)).toEqual([100_000]))
    expect(server.peers[0]?.connect?.tcUrl).toBe(`${base}/live`)
    await expect(RtmpClient.connect(`${base}/live/one`)).rejects.toMatchObject({
      code: 'RTMP_CLOSED',
      message: expect.stringContaining('self-signed certificate'),
    })
  })

  test('rejected', async () => {
    const { base } = await serve((peer) => {
      peer.handler.onConnect = () => peer.session.rejectConnect('NetConnection.Connect.Rejected', 'no vhost')
    })
    const onClose = vi.fn()
    await expect(RtmpClient.connect(`${base}/live/one`, { onClose })).rejects.toMatchObject({
      code: 'RTMP_REJECTED',
      message: 'NetConnection.Connect.Rejected: no vhost',
    })
    expect(onClose).not.toHaveBeenCalled()
  })

  test('a server that says nothing', async () => {
    const { base } = await serve((peer) => {
      peer.handler.onConnect = () => {}
    })
    await expect(RtmpClient.connect(`${base}/live/one`, { timeoutMs: 30 })).rejects.toMatchObject({
      code: 'RTMP_TIMEOUT',
      message: expect.stringContaining('connect at 127.0.0.1:'),
    })
  })

  test('a server that hangs up', async () => {
    const { base } = await serve((peer) => peer.socket.end())
    await expect(RtmpClient.connect(`${base}/live/one`)).rejects.toMatchObject({ code: 'RTMP_CLOSED' })
  })

  test('a server of another protocol', async () => {
    const { base } = await serve((peer) => peer.socket.write('HTTP/1.1 400 Bad Request\r\n\r\n'))
    await expect(RtmpClient.connect(`${base}/live/one`)).rejects.toMatchObject({
      code: 'RTMP_HANDSHAKE_VERSION',
    })
  })

  test('nobody listens', async () => {
    const { base, server } = await serve()
    server.close()
    await expect(RtmpClient.connect(`${base}/live/one`)).rejects.toMatchObject({
      code: 'RTMP_CLOSED',
      message: expect.stringContaining('ECONNREFUSED'),
      cause: expect.objectContaining({ code: 'ECONNREFUSED' }),
    })
  })

  test('a URL of something else', async () => {
    await expect(RtmpClient.connect('http://h/live/one')).rejects.toMatchObject({ code: 'RTMP_NAME' })
  })
})

describe('publish', () => {
  test('packets arrive; close unpublishes', async () => {
    const { base, server } = await serve()
    const closed = Promise.withResolvers<Error | null>()
    const client = await RtmpClient.connect(`${base}/live/one?key=k`, { onClose: closed.resolve })
    await client.publish('record')
    const packets = [audio(0), audio(20, 50_000), audio(0xffffffff)]
    for (const packet of packets) if (!client.send(packet)) await client.drained()
    client.close()
    client.close()
    expect(await closed.promise).toBeNull()
    expect(server.peers[0]).toMatchObject({
      publish: { stream: 'one', param: '?key=k', type: 'record', style: 'fmle' },
      packets,
      ended: ['unpublish'],
    })
    expect(client.closed).toBe(true)
    expect(() => client.send(audio(0))).toThrow(expect.objectContaining({ code: 'RTMP_CLOSED' }))
    await expect(client.drained()).rejects.toMatchObject({ code: 'RTMP_CLOSED' })
  })

  test('a full socket says so, and says when it has drained', async () => {
    const { base, server } = await serve()
    const client = await RtmpClient.connect(`${base}/live/one`)
    await client.publish()
    server.peers[0]?.socket.pause()
    let sent = 0
    while (client.send(audio(sent, 100_000))) sent += 1
    const drained = client.drained()
    server.peers[0]?.socket.resume()
    await drained
    expect(client.send(audio(sent + 1))).toBe(true)
    expect(client.bytesSent).toBeGreaterThan(sent * 100_000)
    client.close()
  })

  test('a server that never reads', async () => {
    const { base, server } = await serve()
    const closed = Promise.withResolvers<Error | null>()
    const client = await RtmpClient.connect(`${base}/live/one`, { onClose: closed.resolve })
    await client.publish()
    server.peers[0]?.socket.pause()
    const flood = () => {
      for (let count = 0; count < 1000; count++) client.send(audio(count, 500_000))
    }
    expect(flood).toThrow(expect.objectContaining({ code: 'RTMP_CLOSED' }))
    expect(await closed.promise).toMatchObject({ code: 'RTMP_CLOSED' })
  })

  test('rejected', async () => {
    const { base } = await serve((peer) => {
      peer.handler.onPublish = ({ streamId }) =>
        peer.session.rejectPublish(streamId, 'NetStream.Publish.BadName', 'busy')
    })
    const client = await RtmpClient.connect(`${base}/live/one`)
    await expect(client.publish()).rejects.toMatchObject({
      code: 'RTMP_REJECTED',
      message: 'NetStream.Publish.BadName: busy',
    })
    await expect(client.publish()).rejects.toMatchObject({ code: 'RTMP_REJECTED' })
  })

  test('a verdict that never comes', async () => {
    const { base } = await serve((peer) => {
      peer.handler.onPublish = () => {}
    })
    const client = await RtmpClient.connect(`${base}/live/one`, { timeoutMs: 500 })
    await expect(client.publish()).rejects.toMatchObject({ code: 'RTMP_TIMEOUT' })
    expect(client.closed).toBe(true)
  })

  test('the server takes it away', async () => {
    const { base, server } = await serve()
    const closed = Promise.withResolvers<Error | null>()
    const client = await RtmpClient.connect(`${base}/live/one`, { onClose: closed.resolve })
    await client.publish()
    server.peers[0]?.session.endPublish(1, 'NetStream.Publish.BadName', 'replaced')
    expect(await closed.promise).toMatchObject({
      code: 'RTMP_REJECTED',
      message: expect.stringContaining('replaced'),
    })
    expect(() => client.send(audio(0))).toThrow(expect.objectContaining({ code: 'RTMP_REJECTED' }))
  })

  test('twice', async () => {
    const { base } = await serve()
    const client = await RtmpClient.connect(`${base}/live/one`)
    await client.publish()
    await expect(client.publish()).rejects.toMatchObject({ code: 'RTMP_STATE' })
    expect(client.send(audio(0))).toBe(true)
    client.close()
  })
})

describe('play', () => {
  test('packets by iteration, until the server ends the stream', async () => {
    const { base, server } = await serve()
    const closed = Promise.withResolvers<Error | null>()
    const client = await RtmpClient.connect(`${base}/live/one`, { onClose: closed.resolve })
    await client.play({ start: -1 })
    const { session } = server.peers[0]!
    const packets = Array.from({ length: 50 }, (_value, index) => audio(index * 20))
    for (const packet of packets) session.sendPacket(1, packet)
    session.endPlay(1, 'NetStream.Play.Stop', 'over')
    expect(await collect(client.packets())).toEqual(packets)
    expect(server.peers[0]?.play).toMatchObject({ stream: 'one', start: -1 })
    expect(await closed.promise).toBeNull()
  })

  test('packets by callback; pause; statuses; close', async () => {
    const { base, server } = await serve()
    const received: Packet[] = []
    const statuses: string[] = []
    const third = Promise.withResolvers<void>()
    const client = await RtmpClient.connect(`${base}/live/one`, {
      onPacket: (packet) => {
        received.push(packet)
        if (received.length === 3) third.resolve()
      },
      onStatus: ({ code }) => statuses.push(code),
    })
    await client.play()
    const peer = server.peers[0]!
    const sent = [audio(1), audio(2), audio(3)]
    for (const packet of sent) peer.session.sendPacket(1, packet)
    await third.promise
    expect(received).toEqual(sent)
    expect(statuses).toEqual(['NetStream.Play.Reset', 'NetStream.Play.Start'])
    client.pause(true, 3)
    client.pause(false)
    client.close()
    await once(peer.socket, 'close')
    expect(peer.ended).toEqual(['pause', 'resume', 'stop'])
  })

  test('a reader that is slow stops the server, and loses nothing', async () => {
    const { base, server } = await serve()
    const client = await RtmpClient.connect(`${base}/live/one`)
    await client.play()
    const { session, socket } = server.peers[0]!
    const total = 600
    for (let index = 0; index < total; index++) session.sendPacket(1, audio(index, 100_000))
    session.endPlay(1, 'NetStream.Play.Stop', 'over')
    // 60 MB are on their way; the client holds no more than its queue of 4 MiB and a read.
    await vi.waitFor(() => expect(client.bytesReceived).toBeGreaterThan(4 * 1024 * 1024))
    await new Promise((resolve) => setImmediate(resolve))
    expect(client.bytesReceived).toBeLessThan(5 * 1024 * 1024)
    expect(socket.writableLength).toBeGreaterThan(1024 * 1024)
    let next = 0
    for await (const packet of client.packets()) expect(packet.timestamp).toBe(next++)
    expect(next).toBe(total)
  })

  test('rejected', async () => {
    const { base } = await serve((peer) => {
      peer.handler.onPlay = ({ streamId }) =>
        peer.session.rejectPlay(streamId, 'NetStream.Play.StreamNotFound', 'none')
    })
    const client = await RtmpClient.connect(`${base}/live/one`)
    await expect(client.play()).rejects.toMatchObject({
      code: 'RTMP_REJECTED',
      message: 'NetStream.Play.StreamNotFound: none',
    })
  })

  test('the server breaks the protocol', async () => {
    const { base, server } = await serve()
    const client = await RtmpClient.connect(`${base}/live/one`)
    await client.play()
    // A chunk of type 3 on a chunk stream that was never used.
    server.peers[0]?.socket.write(Buffer.of(0xc0 | 50))
    await expect(collect(client.packets())).rejects.toMatchObject({ code: 'RTMP_CHUNK_HEADER' })
  })

  test('the connection breaks', async () => {
    const { base, server } = await serve()
    const client = await RtmpClient.connect(`${base}/live/one`)
    await client.play()
    server.peers[0]?.socket.resetAndDestroy()
    await expect(collect(client.packets())).rejects.toMatchObject({ code: 'RTMP_CLOSED' })
  })

  test('a callback that throws closes the client with its error', async () => {
    const { base, server } = await serve()
    const closed = Promise.withResolvers<Error | null>()
    const client = await RtmpClient.connect(`${base}/live/one`, {
      onPacket: () => {
        throw new Error('mine')
      },
      onClose: closed.resolve,
    })
    await client.play()
    server.peers[0]?.session.sendPacket(1, audio(0))
    expect(await closed.promise).toMatchObject({ message: 'mine' })
  })
})

test('calls in both directions', async () => {
  const called = Promise.withResolvers<unknown[]>()
  const { base, server } = await serve((peer) => {
    peer.handler.onCall = (name, args) => {
      called.resolve([name, ...args])
      peer.session.sendCall('onSrsBandCheckStopPlayBytes', 5)
    }
  })
  const answered = Promise.withResolvers<unknown[]>()
  const client = await RtmpClient.connect(`${base}/live/one`, {
    onCall: (name, args) => answered.resolve([name, ...args]),
  })
  client.call('onSrsBandCheckStartingPlayBytes', 3)
  expect(await called.promise).toEqual(['onSrsBandCheckStartingPlayBytes', 3])
  expect(await answered.promise).toEqual(['onSrsBandCheckStopPlayBytes', 5])
  expect(server.peers).toHaveLength(1)
  client.close()
})
