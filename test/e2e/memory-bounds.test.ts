import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { RtmpClient } from '../../src/client/rtmp-client.ts'
import { keyFrameFlag, type Packet, videoType } from '../../src/media/packet.ts'
import { stillServes } from './support/live-pair.ts'
import { pssOf } from './support/processes.ts'
import { garbage, RawPeer } from './support/raw-peer.ts'
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

/** A server that has served before, and its memory. */
async function settledServer(): Promise<{ server: Server; plateau: number }> {
  const server = await startServer({ workers: 2, settings: { source_linger: 1 } })
  await stillServes(server)
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
    ['frames of 1 MB', 1_000_000, 1500],
    ['frames of 4 MB', 4_000_000, 400],
    ['frames of nearly max_message_size', 8 * mebibyte - 100, 200],
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
