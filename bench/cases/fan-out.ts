import { measure } from '../measure.ts'
import { barChart } from '../report/chart.ts'
import { atMost, ratio } from '../report/target.ts'
import { weir } from '../servers/weir.ts'
import type { BenchCase } from './bench-case.ts'
import { cpuBars, cpuPerGb, errorsOf, measurePeers, mergedMs, playTable, present } from './peer-figures.ts'

/** The case that the design is for: one stream, many players. */
export const fanOut: BenchCase = {
  name: 'fan-out',
  title: '4,000 players of one stream at 500 kbit/s',
  async measure(run) {
    const load = { clip: 500, streams: 1, players: run.count(4000), streamsBegin: 'before players' } as const
    const merged = await measure(run, weir({ mwLatency: mergedMs, workers: 1 }), load)
    const quick = await measure(run, weir({ mwLatency: 100, workers: 1 }), load)
    // The peers' players are so busy that the last ones would take minutes to come up.
    const peers = await measurePeers(run, { ...load, streamsBegin: 'after players' })
    const all = [merged, quick, ...present(peers)]
    const title = 'CPU to deliver one stream to 4,000 players'
    return {
      targets: [
        atMost(
          'CPU s per GB, of nginx-rtmp with out_cork 24',
          ratio(cpuPerGb(merged), cpuPerGb(peers.nginxMerged)),
          0.2,
        ),
        atMost(
          'CPU s per GB, of node-media-server',
          ratio(cpuPerGb(merged), cpuPerGb(peers.nodeMediaServer)),
          0.2,
        ),
        atMost('RSS growth a player', merged.played!.rssGrowthKbPerPlayer, 16, 'kB'),
        atMost('errors of players', errorsOf(merged.played!.result), 0),
        atMost(
          '`mw_latency 100`: CPU s per GB, of nginx-rtmp at its own default',
          ratio(cpuPerGb(quick), cpuPerGb(peers.nginxDefault)),
          0.4,
        ),
      ],
      table: playTable(all),
      charts: [barChart('fan-out.svg', title, 'CPU seconds per GB, less is better', cpuBars(all))],
      notes: peers.notes,
      data: all,
    }
  },
}
