import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { RtmpClient } from '../../src/client/rtmp-client.ts'
import { amfObject } from '../../src/media/amf-value.ts'
import { encodeAmf0 } from '../../src/media/amf0-writer.ts'
import { dataType, keyFrameFlag, metadataFlag, type Packet, videoType } from '../../src/media/packet.ts'
import { commandChunkStream, encodeMessage } from '../../src/rtmp/chunk-writer.ts'
import { encodePingRequest, encodeSetChunkSize } from '../../src/rtmp/control.ts'
import { amf0CommandType } from '../../src/rtmp/message.ts'
import { stillServes } from './support/live-pair.ts'
import { pssOf } from './support/processes.ts'
import { chunkHeader, garbage, RawPeer } from './support/raw-peer.ts'
import { type Server, startServer } from './support/server.ts'
import { headers } from './support/synthetic.ts'
import { until, within } from './support/until.ts'

const mebibyte = 1024 * 1024

/** What one hostile peer may cost, over all processes. */
const hostileBound = 64 * mebibyte

/** How long after it the server's memory has to be back, and what is left for what a process needs that has worked. */
const recoveryMs = 60_000
const recoveredBytes = 12 * mebibyte

function memoryOf(server: Server): number {
  return pssOf(server.processes().map(({ pid }) => pid))
}

/** A server whose workers have all served before, and its memory. */
async function settledServer(): Promise<{ server: Server; plateau: number }> {
  const server = await startServer({ workers: 2, settings: { source_linger: 1 } })
  await stillServes(server)
  const peers = await Promise.all(Array.from({ length: 12 }, () => RawPeer.connectApp(server)))
  for (const peer of peers) peer.socket.destroy()
  await server.waitForStatus('the clients before to be gone', ({ connections }) => connections === 0)
  await until('the stream before to be closed', async () => (await server.status()).sources === 0)
  return { server, plateau: memoryOf(server) }
}

/** Watches the memory while something goes on. @returns the most there was beyond the plateau, in bytes */
async function peakDuring(server: Server, plateau: number, action: Promise<void>): Promise<number> {
  let peak = 0
  let over = false
  const ended = action.finally(() => {
    over = true
  })
  while (!over) {
    peak = Math.max(peak, memoryOf(server) - plateau)
    await delay(20)
  }
  await ended
  return peak
}

/** Sends one key frame and inter frames without end, as fast as the server takes them. */
async function flood(url: string, frameBytes: number, frames: number): Promise<void> {
  const client = await RtmpClient.connect(url, { chunkSize: 65_536 })
  await client.publish()
  const body = Buffer.alloc(frameBytes, 7)
  body.set([0x27, 1, 0, 0, 0])
  const frame = (index: number): Packet => {
    const key = Buffer.from(body)
    if (index === 0) key[0] = 0x17
    return { type: videoType, flags: index === 0 ? keyFrameFlag : 0, timestamp: index * 40, body: key }
  }
  for (const packet of headers()) client.send(packet)
  for (let index = 0; index < frames; index += 1) {
    if (!client.send(frame(index))) await within('the server to read', client.drained(), 60_000)
  }
  client.close()
}

describe('an encoder that sends as fast as the server takes it', () => {
  test.each([
    ['frames of 50 kB', 50_000, 20_000],
    ['frames of 1 MB', 1_000_000, 800],
    ['frames of nearly max_message_size', 8 * mebibyte - 100, 100],
  ])(
    '%s',
    async (_, frameBytes, frames) => {
      const { server, plateau } = await settledServer()
      const peak = await peakDuring(server, plateau, flood(server.url('flood'), frameBytes, frames))
      expect(peak).toBeLessThan(hostileBound)
      await until('the memory to be back', () => memoryOf(server) - plateau < recoveredBytes, recoveryMs)
    },
    120_000,
  )
})

/** Fills unfinished messages up to their limits, and holds them. */
async function holdUnfinished(server: Server): Promise<void> {
  const peer = await RawPeer.connectApp(server)
  const chunkBytes = mebibyte
  peer.write(encodeSetChunkSize(chunkBytes, 128))
  for (const chunkStream of [10, 11]) {
    const begun = Buffer.concat([chunkHeader(chunkStream, 8 * mebibyte), Buffer.alloc(chunkBytes, 7)])
    const next = Buffer.concat([Buffer.of(0xc0 | chunkStream), Buffer.alloc(chunkBytes, 7)])
    peer.write(begun)
    for (let chunk = 1; chunk < 8; chunk += 1) peer.write(chunk === 7 ? next.subarray(0, -1) : next)
  }
  await stillServes(server)
  peer.socket.destroy()
}

/** Sends requests as fast as they are taken, and reads no answer. */
async function floodUnread(server: Server, requests: Buffer): Promise<void> {
  const peer = await RawPeer.connectApp(server)
  peer.socket.pause()
  const flood = (): void => {
    while (!peer.socket.destroyed && peer.write(requests)) {}
  }
  peer.socket.on('drain', flood)
  flood()
  await peer.closed()
}

/** Begins handshakes by the hundred and ends none. */
async function holdHandshakes(server: Server): Promise<void> {
  const peers = await Promise.all(Array.from({ length: 500 }, () => RawPeer.connect(server)))
  for (const peer of peers) peer.write(Buffer.concat([Buffer.of(3), Buffer.alloc(1000)]))
  await stillServes(server)
  for (const peer of peers) peer.socket.destroy()
}

/** Publishes and sends nothing but metadata, as large as a message may be. */
async function floodMetadata(server: Server): Promise<void> {
  const client = await RtmpClient.connect(server.url('metadata'), { chunkSize: 65_536 })
  await client.publish()
  const facts = Object.fromEntries(
    Array.from({ length: 120 }, (_, index) => [`k${index}`, 'x'.repeat(60_000)]),
  )
  for (let timestamp = 0; timestamp < 50; timestamp += 1) {
    const body = encodeAmf0('@setDataFrame', 'onMetaData', amfObject(facts))
    const taken = client.send({ type: dataType, flags: metadataFlag, timestamp, body })
    if (!taken) await within('the server to read', client.drained(), 60_000)
  }
  client.close()
}

describe('a peer that', () => {
  test.each<[string, (server: Server) => Promise<void>]>([
    ['holds unfinished messages', holdUnfinished],
    ['sends pings and reads no answer', (server) => floodUnread(server, repeated(encodePingRequest(1, 128)))],
    ['creates streams and reads no answer', (server) => floodUnread(server, repeated(createStream()))],
    ['holds unfinished handshakes', holdHandshakes],
    ['sends metadata without end', floodMetadata],
  ])(
    '%s',
    async (_, attack) => {
      const { server, plateau } = await settledServer()
      const peak = await peakDuring(server, plateau, attack(server))
      expect(peak).toBeLessThan(hostileBound)
      await until('the memory to be back', () => memoryOf(server) - plateau < recoveredBytes, recoveryMs)
    },
    120_000,
  )
})

function repeated(request: Buffer): Buffer {
  return Buffer.concat(Array.from({ length: 4000 }, () => request))
}

function createStream(): Buffer {
  const header = { chunkStreamId: commandChunkStream, type: amf0CommandType, streamId: 0, timestamp: 0 }
  return encodeMessage(header, encodeAmf0('createStream', 2, null), 128)
}

describe('a connection before it is accepted', () => {
  test('costs less than 256 kB', async () => {
    const { server, plateau } = await settledServer()
    const peers = await Promise.all(Array.from({ length: 200 }, () => RawPeer.shakeHands(server)))
    // As much as fits before connect: two messages that are not complete, on chunk streams of their own.
    const begun = (id: number): Buffer =>
      Buffer.concat([Buffer.of(id, 0, 0, 0, 0, 0xff, 0xff, 20, 0, 0, 0, 0), garbage(id, 128)])
    for (const peer of peers) peer.write(Buffer.concat([begun(3), begun(4)]))
    await stillServes(server)
    expect((await server.status()).connections).toBe(peers.length)
    expect((memoryOf(server) - plateau) / peers.length).toBeLessThan(256 * 1024)
  })
})
