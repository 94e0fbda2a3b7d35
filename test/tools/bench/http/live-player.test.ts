import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import { encodeTag, flvHeader } from '../../../../src/media/flv/writer.ts'
import { hex } from '../../../rtmp/bytes.ts'
import { sampleTags } from '../sample-clip.ts'
import { Playing, patience, WebServer } from './web-server.ts'

const opening = flvHeader({ audio: true, video: true })
const clip = Buffer.concat([opening, ...sampleTags.map((tag) => encodeTag(...tag))])

describe('over HTTP', () => {
  test.each([
    ['chunks', {}],
    ['an endless body', { 'Transfer-Encoding': 'identity', Connection: 'close' }],
  ])('plays a stream in %s', async (_, headers) => {
    const server = await WebServer.start((_request, response) => {
      response.writeHead(200, headers)
      response.write(clip.subarray(0, 50))
      response.write(clip.subarray(50))
    })
    const playing = new Playing(`http://${server.base}/live/one.flv?token=1`)
    await expect.poll(() => playing.player.bytes, patience).toBeGreaterThan(clip.length)
    expect(server.paths).toStrictEqual(['/live/one.flv?token=1'])
    expect(playing).toMatchObject({ up: 1, codes: [] })
    expect(playing.player.finish()).toBe(true)
    playing.player.close()
    await expect
      .poll(() => [...server.sockets].every(({ readableEnded }) => readableEnded), patience)
      .toBe(true)
    expect(playing.codes).toStrictEqual([])
  })

  test.each([
    ['that it is refused', 404, '', 'HTTP_404'],
    ['that the stream ends', 200, clip, 'HTTP_CLOSED'],
    ['that it is no FLV', 200, Buffer.from('<html><body>'.repeat(9)), 'FLV_FORMAT'],
  ])('tells %s', async (_, status, body, code) => {
    const server = await WebServer.start((_request, response) => response.writeHead(status).end(body))
    const playing = new Playing(`http://${server.base}/live/one.flv`)
    await expect.poll(() => playing.codes, patience).toStrictEqual([code])
    expect(playing.failures).toHaveLength(1)
    expect(playing.statistics.framingErrors).toBe(code === 'FLV_FORMAT' ? 1 : 0)
  })

  test('tells that the connection is cut', async () => {
    const server = await WebServer.start((_request, response) => {
      response.writeHead(200, { Connection: 'close' }).write(clip)
    })
    const playing = new Playing(`http://${server.base}/live/one.flv`)
    await expect.poll(() => playing.up, patience).toBe(1)
    for (const socket of server.sockets) socket.resetAndDestroy()
    await expect.poll(() => playing.codes, patience).toStrictEqual(['ECONNRESET'])
  })
})

describe('over WebSocket', () => {
  async function upgrade(answer: (key: string, socket: Socket) => void): Promise<WebServer> {
    const server = await WebServer.start((_request, response) => response.end())
    server.server.on('upgrade', ({ headers }, socket) => {
      const key = createHash('sha1')
        .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
        .digest('base64')
      answer(key, socket as Socket)
    })
    return server
  }

  function head(key: string): string {
    return `HTTP/1.1 101 OK\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`
  }

  test('plays a stream, answers a ping, and tells that the server closes', async () => {
    let received = Buffer.alloc(0)
    let socket: Socket | null = null
    const server = await upgrade((key, accepted) => {
      socket = accepted
      accepted.on('data', (bytes) => {
        received = Buffer.concat([received, bytes])
      })
      const length = Buffer.alloc(2)
      length.writeUInt16BE(clip.length)
      accepted.write(Buffer.concat([Buffer.from(head(key)), hex('82 7e'), length, clip, hex('89 01 21')]))
    })
    const playing = new Playing(`ws://${server.base}/live/one.flv`)
    await expect.poll(() => received.toString('hex'), patience).toBe('8a810000000021')
    expect(playing).toMatchObject({ up: 1, codes: [] })
    socket!.write(hex('88 00'))
    await expect.poll(() => playing.codes, patience).toStrictEqual(['HTTP_CLOSED'])
    expect(playing.player.finish()).toBe(true)
  })

  test('tells that the server does not know the key', async () => {
    const server = await upgrade((_key, socket) => socket.write(head('something')))
    const playing = new Playing(`ws://${server.base}/live/one.flv`)
    await expect.poll(() => playing.codes, patience).toStrictEqual(['HTTP_WEBSOCKET'])
  })
})
