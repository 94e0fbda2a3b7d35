import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, describe, expect, onTestFailed, test } from 'vitest'
import { messageOf } from '../../src/base/errors.ts'
import { RtmpClient } from '../../src/client/rtmp-client.ts'
import { amfObject } from '../../src/media/amf-value.ts'
import { encodeAmf0 } from '../../src/media/amf0-writer.ts'
import { dataType, keyFrameFlag, metadataFlag, type Packet, videoType } from '../../src/media/packet.ts'
import { commandChunkStream, encodeMessage } from '../../src/rtmp/chunk-writer.ts'
import { encodePingRequest, encodeSetChunkSize } from '../../src/rtmp/control.ts'
import { amf0CommandType } from '../../src/rtmp/message.ts'
import { stillServes } from './support/live-pair.ts'
import { allocatedBy } from './support/processes.ts'
import { chunkHeader, garbage, RawPeer } from './support/raw-peer.ts'
import { Server } from './support/server.ts'
import { headers } from './support/synthetic.ts'
import { until, within } from './support/until.ts'

const mebibyte = 1024 * 1024

/** What one hostile peer may cost, over all processes. */
const hostileBound = 64 * mebibyte

/** How long after it the server's memory has to be back, and what is left for what a process needs that has worked. */
const recoveryMs = 60_000
const recoveredBytes = 12 * mebibyte
const recoveryPollMs = 250

/** What is wrong with each server that was attacked, some time later; null: its memory is back. */
const recoveries: Promise<string | null>[] = []

const servers: Server[] = []
afterAll(() => Promise.all(servers.map((server) => server.cleanUp())))

function memoryOf(server: Server): number {
  return allocatedBy(server.processes().map(({ pid }) => pid))
}

/** A server whose workers have all served before, and its memory. It lasts as long as the tests of this file. */
async function settledServer(): Promise<{ server: Server; plateau: number }> {
  const server = await Server.prepareShared({ workers: 2, settings: { source_linger: 1 } })
  servers.push(server)
  onTestFailed(() => server.showLog())
  await server.start()
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

/**
 * Attacks a server of its own, and watches what it costs at most. That the memory is back takes quiet processes up to half
 * a minute: that is looked at while the next server is attacked, and told to {@link recoveries}.
 */
async function costsLittle(name: string, attack: (server: Server) => Promise<void>): Promise<void> {
  const { server, plateau } = await settledServer()
  const peak = await peakDuring(server, plateau, attack(server))
  recoveries.push(
    recovered(server, plateau).then(
      (isBack) => (isBack ? null : `${name}: ${memoryOf(server) - plateau} bytes are left`),
      (error: unknown) => `${name}: ${messageOf(error)}`,
    ),
  )
  expect(peak).toBeLessThan(hostileBound)
}

/** Whether the memory comes back in time. */
async function recovered(server: Server, plateau: number): Promise<boolean> {
  const end = performance.now() + recoveryMs
  while (memoryOf(server) - plateau >= recoveredBytes) {
    if (performance.now() > end) return false
    await delay(recoveryPollMs)
  }
  return true
}

/** Sends one key frame and inter frames without end, as fast as the server takes them. */
async function flood(server: Server, frameBytes: number, frames: number): Promise<void> {
  const client = await RtmpClient.connect(server.url('flood'), { chunkSize: 65_536 })
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

// What takes longest to be forgotten first.
describe('a peer that', () => {
  test.each<[string, (server: Server) => Promise<void>]>([
    ['sends metadata without end', floodMetadata],
    ['sends frames of 50 kB as fast as they are taken', (server) => flood(server, 50_000, 20_000)],
    ['sends frames of 1 MB as fast as they are taken', (server) => flood(server, 1_000_000, 800)],
    [
      'sends frames of nearly max_message_size as fast as they are taken',
      (server) => flood(server, 8 * mebibyte - 100, 100),
    ],
    ['sends pings and reads no answer', (server) => floodUnread(server, repeated(encodePingRequest(1, 128)))],
    ['holds unfinished handshakes', holdHandshakes],
    ['holds unfinished messages', holdUnfinished],
    ['creates streams and reads no answer', (server) => floodUnread(server, repeated(createStream()))],
  ])('%s', costsLittle, 120_000)

  test('is forgotten, whatever it has done', async () => {
    expect(recoveries).toHaveLength(8)
    expect(await Promise.all(recoveries)).toEqual(recoveries.map(() => null))
  }, 120_000)
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
