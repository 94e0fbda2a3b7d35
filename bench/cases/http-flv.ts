import { type Figures, measure } from '../measure.ts'
import { barChart } from '../report/chart.ts'
import { atMost, ratio } from '../report/target.ts'
import { weir } from '../servers/weir.ts'
import { alternate, alternateNote } from './alternate.ts'
import type { BenchCase } from './bench-case.ts'
import { cpuBars, cpuPerGb, errorsOf, mergedMs, playTable } from './peer-figures.ts'

/** Viewers over HTTP are the same work as players over RTMP: another framing, made once. */
export const httpFlv: BenchCase = {
  name: 'http-flv',
  title: '2,000 viewers over HTTP-FLV, beside as many players over RTMP',
  async measure(run) {
    const load = { clip: 500, streams: 1, players: run.count(2000), streamsBegin: 'before players' } as const
    const setup = weir({ mwLatency: mergedMs, workers: 1, http: {} })
    const rounds = await alternate([
      () => measure(run, setup, { ...load, over: 'HTTP-FLV' }),
      () => measure(run, setup, { ...load, over: 'RTMP' }),
    ])
    const all = rounds.map(({ best }) => best)
    const [flv, rtmp] = all as [Figures, Figures]
    const title = 'CPU to deliver one stream to 2,000 viewers'
    return {
      targets: [
        atMost('CPU s per GB, of RTMP', ratio(cpuPerGb(flv), cpuPerGb(rtmp)), 1.1),
        atMost('errors of viewers', errorsOf(flv.played!.result), 0),
      ],
      table: playTable(all),
      charts: [barChart('http-flv.svg', title, 'CPU seconds per GB, less is better', cpuBars(all))],
      notes: [alternateNote],
      data: rounds,
    }
  },
}
