import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { openLink } from '../../../src/backsource/upstream/open-link.ts'
import { encodeTag, flvHeader } from '../../../src/media/flv/writer.ts'
import { type Packet, videoType } from '../../../src/media/packet.ts'
import { eventually } from '../../support/eventually.ts'

/** A server of HTTP-FLV, and what a link to it gets. */
async function setUp(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  }).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const packets: Packet[] = []
  const end = new AbortController()
  const open = (timeoutMs = 5000) => {
    const { port } = server.address() as AddressInfo
    return openLink(
      { url: `http://127.0.0.1:${port}/live/x.flv?vhost=a` },
      {
        timeoutMs,
        signal: end.signal,
        trust: { tlsCa: '', tlsVerify: true },
        route: ['hop000000001'],
        identity: null,
        onPacket: (p) => packets.push(p),
      },
    )
  }
  return { open, packets, requests, end }
}

const frame = (timestamp: number, ...bytes: number[]): Buffer =>
  encodeTag(videoType, timestamp, Buffer.from([0x17, 1, 0, 0, 0, ...bytes]))

test('the packets of a stream come, whatever the pieces, until the server ends it', async () => {
  const { open, packets, requests } = await setUp((_request, response) => {
    const bytes = Buffer.concat([flvHeader({ audio: true, video: true }), frame(0, 7), frame(40, 8)])
    response.write(bytes.subarray(0, 30))
    response.end(bytes.subarray(30))
  })
  const link = await open()
  expect(await link.closed).toBeNull()
  expect(packets.map(({ timestamp, body }) => [timestamp, body.at(-1)])).toStrictEqual([
    [0, 7],
    [40, 8],
  ])
  expect(link.bytesReceived).toBe(9 + 4 + 2 * (11 + 6 + 4))
  expect(requests[0]).toMatchObject({ url: '/live/x.flv?vhost=a', headers: { 'weir-route': 'hop000000001' } })
})

test('another status than 200 is a refusal', async () => {
  const { open } = await setUp((_request, response) => response.writeHead(404).end())
  await expect(open()).rejects.toMatchObject({
    code: 'UPSTREAM_REFUSED',
    message: expect.stringContaining('404'),
  })
})

test('a server that waits with its answer is silent, not dead', async () => {
  const { open, requests } = await setUp(() => {})
  await expect(open(100)).rejects.toMatchObject({ code: 'UPSTREAM_SILENT' })
  await eventually(() => expect(requests[0]?.socket.destroyed).toBe(true))
})

test('what is no FLV ends the link with its reason', async () => {
  const { open } = await setUp((_request, response) => response.write('<html>not what you think</html>'))
  const link = await open()
  expect(await link.closed).toMatchObject({ code: 'FLV_FORMAT' })
})

test.each(['close', 'abort'])('%s ends a link that runs', async (how) => {
  const { open, requests, end, packets } = await setUp((_request, response) =>
    response.write(Buffer.concat([flvHeader({ audio: true, video: true }), frame(0, 7)])),
  )
  const link = await open()
  await eventually(() => expect(packets.length).toBe(1))
  if (how === 'close') link.close()
  else end.abort()
  await link.closed
  await eventually(() => expect(requests[0]?.socket.destroyed).toBe(true))
})
