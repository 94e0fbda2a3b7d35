/** Whether an encoder that sends as fast as it can is felt by others. */

import { RtmpClient } from '../../src/client/rtmp-client.ts'
import { keyFrameFlag, type Packet, videoType } from '../../src/media/packet.ts'
import { type BenchRun, delay } from '../bench-run.ts'
import { withServer } from '../measure.ts'
import { atMost, format } from '../report/target.ts'
import { weir } from '../servers/weir.ts'
import { apart } from '../system/placement.ts'
import type { BenchCase } from './bench-case.ts'
import { summarize } from './sample-summary.ts'

/** Bytes of a frame: large enough that copying them is most of the work, for the server and for the encoder. */
const frameBytes = 1_000_000

export const hostile: BenchCase = {
  name: 'hostile',
  title: 'Connects beside an encoder that sends as fast as it can',
  async measure(run) {
    const samples = await connectSamples(run)
    const { p50, p99, max } = summarize(samples)
    return {
      targets: [atMost('TCP connect until the connect command is answered, p99', p99, 100, 'ms')],
      table: [
        ['connects', 'p50 ms', 'p99 ms', 'max ms'],
        [String(samples.length), ...[p50, p99, max].map(format)],
      ],
      charts: [],
      notes: [`The encoder sends frames of ${frameBytes / 1e6} MB from the same core as those who connect.`],
      data: { samples },
    }
  },
}

/** From the TCP connect until the answer to the connect command, in ms. */
async function connectSamples(run: BenchRun): Promise<number[]> {
  return withServer(run, weir({ workers: 1 }), apart, async (server) => {
    const encoder = await RtmpClient.connect(server.url('flood'), { chunkSize: 65_536 })
    await encoder.publish()
    let over = false
    const flooding = flood(encoder, () => over)
    const samples: number[] = []
    for (let count = 0; count < run.count(300); count += 1) {
      const begin = performance.now()
      const client = await RtmpClient.connect(server.url('other'))
      samples.push(performance.now() - begin)
      client.close()
      await delay(10)
    }
    over = true
    await flooding
    encoder.close()
    return samples
  })
}

/** One key frame, then inter frames without end. */
async function flood(encoder: RtmpClient, isOver: () => boolean): Promise<void> {
  const body = (first: number): Buffer => Buffer.alloc(frameBytes, Buffer.of(first, 1, 0, 0, 0))
  const [key, inter] = [body(0x17), body(0x27)]
  for (let index = 0; !isOver(); index += 1) {
    const packet: Packet = {
      type: videoType,
      flags: index === 0 ? keyFrameFlag : 0,
      timestamp: index * 40,
      body: index === 0 ? key : inter,
    }
    if (!encoder.send(packet)) await encoder.drained()
  }
}
