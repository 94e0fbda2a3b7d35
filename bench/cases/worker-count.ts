import { measure } from '../measure.ts'
import { atMost, ratio } from '../report/target.ts'
import { weir } from '../servers/weir.ts'
import type { BenchCase } from './bench-case.ts'
import { cpuPerGb, mergedMs, playTable } from './peer-figures.ts'

/** Adding a worker must cost nothing but its own existence. */
export const workerCount: BenchCase = {
  name: 'worker-count',
  title: '1 and 2 stream workers at the same load (2,000 players of one stream)',
  async measure(run) {
    const load = { clip: 500, streams: 1, players: run.count(2000), streamsBegin: 'before players' } as const
    const one = await measure(run, weir({ mwLatency: mergedMs, workers: 1 }), load)
    const two = await measure(run, weir({ mwLatency: mergedMs, workers: 2 }), load)
    const change = ratio(cpuPerGb(two), cpuPerGb(one))
    return {
      targets: [
        atMost('difference of CPU s per GB', change === null ? null : Math.abs(change - 1) * 100, 10, '%'),
      ],
      table: playTable([one, two]),
      charts: [],
      notes: ['One core for both workers: with a core each, they would take turns with the load on it.'],
      data: [one, two],
    }
  },
}
