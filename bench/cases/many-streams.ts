import { measure } from '../measure.ts'
import { barChart } from '../report/chart.ts'
import { atMost, ratio } from '../report/target.ts'
import { weir } from '../servers/weir.ts'
import type { BenchCase } from './bench-case.ts'
import { cpuBars, cpuPerGb, errorsOf, measurePeers, mergedMs, playTable, present } from './peer-figures.ts'

/** Many small streams: what sharing cannot win back, the path between processes costs. */
export const manyStreams: BenchCase = {
  name: 'many-streams',
  title: '500 players over 100 streams',
  async measure(run) {
    const load = {
      clip: 500,
      streams: run.count(100),
      players: run.count(500),
      streamsBegin: 'before players',
    } as const
    const own = await measure(run, weir({ mwLatency: mergedMs, workers: 1 }), load)
    // What an operator of many small streams sets: the fewer processes share them, the fewer wake-ups they cost.
    const fewer = await measure(run, weir({ mwLatency: mergedMs, workers: 1, maxProcesses: 8 }), load)
    const peers = await measurePeers(run, load)
    const all = [own, fewer, ...present(peers)]
    const title = 'CPU to deliver 100 streams to 5 players each'
    return {
      targets: [
        atMost(
          'CPU s per GB, of nginx-rtmp with out_cork 24',
          ratio(cpuPerGb(own), cpuPerGb(peers.nginxMerged)),
          1,
        ),
        atMost(
          '`max_processes 8`: CPU s per GB, of nginx-rtmp with out_cork 24',
          ratio(cpuPerGb(fewer), cpuPerGb(peers.nginxMerged)),
          1,
        ),
        atMost('errors of players', errorsOf(own.played!.result) + errorsOf(fewer.played!.result), 0),
      ],
      table: playTable(all),
      charts: [barChart('many-streams.svg', title, 'CPU seconds per GB, less is better', cpuBars(all))],
      notes: peers.notes,
      data: all,
    }
  },
}
