import { measure } from '../measure.ts'
import { barChart } from '../report/chart.ts'
import { atMost, ratio } from '../report/target.ts'
import { rawFloor } from '../servers/floor.ts'
import { weir } from '../servers/weir.ts'
import type { BenchCase } from './bench-case.ts'
import { cpuBars, cpuPerGb, errorsOf, mergedMs, playTable } from './peer-figures.ts'

/** What the kernel and Node's `net` cost alone: raw writes of the same buffers, at the same times. */
export const floor: BenchCase = {
  name: 'floor',
  title: '4,000 players, beside a program that does nothing but write the same buffers',
  async measure(run) {
    const load = { clip: 500, streams: 1, players: run.count(4000) } as const
    const raw = await measure(run, rawFloor(run.clip(load.clip), mergedMs), {
      ...load,
      streamsBegin: 'by themselves',
      over: 'HTTP-FLV',
    })
    const setup = weir({ mwLatency: mergedMs, workers: 1, http: {} })
    const rtmp = await measure(run, setup, { ...load, streamsBegin: 'before players', over: 'RTMP' })
    const flv = await measure(run, setup, { ...load, streamsBegin: 'before players', over: 'HTTP-FLV' })
    const all = [rtmp, flv, raw]
    return {
      targets: [
        atMost('RTMP: CPU s per GB, of raw writes', ratio(cpuPerGb(rtmp), cpuPerGb(raw)), 1.25),
        atMost('HTTP-FLV: CPU s per GB, of raw writes', ratio(cpuPerGb(flv), cpuPerGb(raw)), 1.25),
        atMost('errors of players', errorsOf(rtmp.played!.result) + errorsOf(flv.played!.result), 0),
      ],
      table: playTable(all),
      charts: [
        barChart('floor.svg', 'CPU above raw writes', 'CPU seconds per GB, less is better', cpuBars(all)),
      ],
      notes: ['Weir’s figures have all its processes in them, the master and the source of the stream too.'],
      data: all,
    }
  },
}
