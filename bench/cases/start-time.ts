import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { withServer } from '../measure.ts'
import { atMost, format } from '../report/target.ts'
import { nginxRtmp } from '../servers/nginx-rtmp.ts'
import { nodeMediaServer } from '../servers/node-media-server.ts'
import type { ServerSetup } from '../servers/server.ts'
import { root, weir } from '../servers/weir.ts'
import { apart, pinned } from '../system/placement.ts'
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
    run.say(`Node, ${repetitions} starts`)
    const bare = Array.from({ length: repetitions }, bareNodeMs)
    all.push({ server: 'an empty Node program, until it ends', samples: bare, ...summarize(bare) })
    return {
      targets: [atMost(`the slowest of ${repetitions} starts`, all[0]!.max, 400, 'ms')],
      table: [
        ['server', 'p50 ms', 'max ms'],
        ...all.map(({ server, p50, max }) => [server, format(p50), format(max)]),
      ],
      charts: [],
      notes: ['Weir’s start is two starts of Node in a row, of the master and of the first worker.'],
      data: all,
    }
  },
}

/** The least that a process of Node costs, in ms, on the servers' core. */
function bareNodeMs(): number {
  const [command = '', ...args] = pinned(apart.server, [join(root, 'node_modules/.bin/node'), '-e', ''])
  const begin = performance.now()
  const { status } = spawnSync(command, args)
  if (status !== 0) throw new Error('an empty Node program failed')
  return performance.now() - begin
}
