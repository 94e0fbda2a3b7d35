import { withServer } from '../measure.ts'
import { atMost, format } from '../report/target.ts'
import { nginxRtmp } from '../servers/nginx-rtmp.ts'
import { nodeMediaServer } from '../servers/node-media-server.ts'
import type { ServerSetup } from '../servers/server.ts'
import { weir } from '../servers/weir.ts'
import { apart } from '../system/placement.ts'
import type { BenchCase } from './bench-case.ts'
import { summarize } from './sample-summary.ts'

/** From the start of the process until a TCP connection is accepted. */
export const startTime: BenchCase = {
  name: 'start-time',
  title: 'Server start until it accepts',
  async measure(run) {
    const repetitions = run.quick ? 3 : 20
    const setups: ServerSetup[] = [weir()]
    if (run.peers.nginxRtmp !== null) setups.push(nginxRtmp())
    if (run.peers.nodeMediaServer !== null) setups.push(nodeMediaServer())
    const quiet = { ...run, say: () => {} }
    const all = []
    for (const setup of setups) {
      run.say(`${setup.name}, ${repetitions} starts`)
      const samples: number[] = []
      for (let i = 0; i < repetitions; i += 1) {
        samples.push(await withServer(quiet, setup, apart, async ({ startMs }) => startMs))
      }
      all.push({ server: setup.name, samples, ...summarize(samples) })
    }
    return {
      targets: [atMost(`the slowest of ${repetitions} starts`, all[0]!.max, 400, 'ms')],
      table: [
        ['server', 'p50 ms', 'max ms'],
        ...all.map(({ server, p50, max }) => [server, format(p50), format(max)]),
      ],
      charts: [],
      notes: [],
      data: all,
    }
  },
}
