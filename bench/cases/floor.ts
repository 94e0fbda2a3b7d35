import { type Figures, measure } from '../measure.ts'
import { barChart } from '../report/chart.ts'
import { atMost, ratio } from '../report/target.ts'
import { rawFloor } from '../servers/floor.ts'
import { weir } from '../servers/weir.ts'
import { alternate, alternateNote } from './alternate.ts'
import type { BenchCase } from './bench-case.ts'
import { cpuBars, cpuPerGb, errorsOf, mergedMs, playTable } from './peer-figures.ts'

/** What the kernel and Node's `net` cost alone: raw writes of the same buffers, at the same times. */
export const floor: BenchCase = {
  name: 'floor',
  title: '4,000 players, beside a program that does nothing but write the same buffers',
  async measure(run) {
    const load = { clip: 500, streams: 1, players: run.count(4000) } as const
    const setup = weir({ mwLatency: mergedMs, workers: 1, http: {} })
    const raw = rawFloor(run.clip(load.clip), mergedMs)
    const rounds = await alternate([
      () => measure(run, setup, { ...load, streamsBegin: 'before players', over: 'RTMP' }),
      () => measure(run, setup, { ...load, streamsBegin: 'before players', over: 'HTTP-FLV' }),
      () => measure(run, raw, { ...load, streamsBegin: 'by themselves', over: 'HTTP-FLV' }),
    ])
    const all = rounds.map(({ best }) => best)
    const [rtmp, flv, least] = all as [Figures, Figures, Figures]
    return {
      targets: [
        atMost('RTMP: CPU s per GB, of raw writes', ratio(cpuPerGb(rtmp), cpuPerGb(least)), 1.25),
        atMost('HTTP-FLV: CPU s per GB, of raw writes', ratio(cpuPerGb(flv), cpuPerGb(least)), 1.25),
        atMost('errors of players', errorsOf(rtmp.played!.result) + errorsOf(flv.played!.result), 0),
      ],
      table: playTable(all),
      charts: [
        barChart('floor.svg', 'CPU above raw writes', 'CPU seconds per GB, less is better', cpuBars(all)),
      ],
      notes: [
        alternateNote,
        'Weir’s figures have all its processes in them, the master and the source of the stream too.',
      ],
      data: rounds,
    }
  },
}
