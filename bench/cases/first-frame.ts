/** How long a viewer waits for a picture. */

import { readFlvFile } from '../../src/client/flv-file.ts'
import { RtmpClient } from '../../src/client/rtmp-client.ts'
import { isHeader, isKeyFrame, type Packet } from '../../src/media/packet.ts'
import { type BenchRun, delay, within } from '../bench-run.ts'
import { withPublishers, withServer } from '../measure.ts'
import { atMost, format } from '../report/target.ts'
import { weir } from '../servers/weir.ts'
import { apart } from '../system/placement.ts'
import type { BenchCase } from './bench-case.ts'
import { summarize } from './sample-summary.ts'

/** Done before anything counts: the first connection of a process pays for what is loaded late. */
const warmUps = 5

/** How long a key frame may take before something is broken, in ms. */
const keyFrameTimeoutMs = 10_000

/** Time between two publishes, in ms: the server has its next spare process ready meanwhile. */
const betweenPublishesMs = 500

export const firstFrame: BenchCase = {
  name: 'first-frame',
  title: 'Until the first key frame, default settings',
  async measure(run) {
    const publishes = await publishSamples(run)
    const joins = await joinSamples(run)
    const [publishing, joining] = [summarize(publishes), summarize(joins)]
    const row = (what: string, count: number, { p50, p99, max }: typeof publishing): string[] => [
      what,
      String(count),
      ...[p50, p99, max].map(format),
    ]
    return {
      targets: [
        atMost('publish until a waiting player’s key frame, p99', publishing.p99, 50, 'ms'),
        atMost('join until the key frame, p99', joining.p99, 20, 'ms'),
      ],
      table: [
        ['until the first key frame', 'repetitions', 'p50 ms', 'p99 ms', 'max ms'],
        row('publish command to a waiting player', publishes.length, publishing),
        row('TCP connect of a player that joins', joins.length, joining),
      ],
      charts: [],
      notes: ['Each publish is of a new stream, that nobody published before.'],
      data: { publishes, joins },
    }
  },
}

/** From the publish command until a player that waited has the key frame, in ms. */
async function publishSamples(run: BenchRun): Promise<number[]> {
  const opening = await packetsToFirstKeyFrame(run.clip(500))
  return withServer(run, weir(), apart, async (server) => {
    const samples: number[] = []
    for (let i = -warmUps; i < run.count(100); i += 1) {
      const url = server.url(`new_${i + warmUps}`)
      const { player, keyFrame } = await joinPlayer(url)
      const publisher = await RtmpClient.connect(url)
      const begin = performance.now()
      await publisher.publish()
      for (const packet of opening) publisher.send(packet)
      const sample = (await keyFrame) - begin
      if (i >= 0) samples.push(sample)
      player.close()
      publisher.close()
      await delay(betweenPublishesMs)
    }
    return samples
  })
}

/** From the TCP connect of a player until it has the key frame of a stream that runs, in ms. */
async function joinSamples(run: BenchRun): Promise<number[]> {
  return withServer(run, weir(), apart, (server) =>
    withPublishers(run, server, { clip: 500, streams: 1 }, apart, async () => {
      const samples: number[] = []
      for (let i = -warmUps; i < run.count(500); i += 1) {
        const begin = performance.now()
        const { player, keyFrame } = await joinPlayer(server.url('s_0'))
        const sample = (await keyFrame) - begin
        if (i >= 0) samples.push(sample)
        player.close()
        await delay(10)
      }
      return samples
    }),
  )
}

/** A player, and when (performance.now) its first key frame came. */
async function joinPlayer(url: string): Promise<{ player: RtmpClient; keyFrame: Promise<number> }> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const player = await RtmpClient.connect(url, {
    onPacket: (packet) => {
      if (isKeyFrame(packet) && !isHeader(packet)) resolve(performance.now())
    },
    onClose: (error) => reject(error ?? new Error('closed before the first key frame')),
  })
  await player.play()
  return { player, keyFrame: within(keyFrameTimeoutMs, promise, 'no key frame') }
}

/** Metadata, sequence headers and what else comes up to the first key frame, that included. */
async function packetsToFirstKeyFrame(path: string): Promise<Packet[]> {
  const packets: Packet[] = []
  for await (const packet of readFlvFile(path)) {
    packets.push(packet)
    if (isKeyFrame(packet) && !isHeader(packet)) return packets
  }
  throw new Error(`${path} has no key frame`)
}
