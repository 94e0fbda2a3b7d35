import { type Figures, measure, withPublishers, withServer } from '../measure.ts'
import { barChart } from '../report/chart.ts'
import { atMost, ratio } from '../report/target.ts'
import { weir } from '../servers/weir.ts'
import { apart } from '../system/placement.ts'
import { alternate, alternateNote } from './alternate.ts'
import type { BenchCase } from './bench-case.ts'
import { cpuBars, cpuPerGb, errorsOf, mergedMs, playTable } from './peer-figures.ts'

/** To have a stream from another server is to cost no more than to have it from an encoder. */
export const edge: BenchCase = {
  name: 'edge',
  title: '1,000 players on an edge, beside as many on an origin',
  async measure(run) {
    const load = { clip: 500, streams: 1, players: run.count(1000) } as const
    const settings = { mwLatency: mergedMs, workers: 1 }
    const onOrigin = (): Promise<Figures> =>
      measure(run, weir(settings), { ...load, streamsBegin: 'before players' })
    // The edge's origin is a part of its load: it has the load's core.
    const onEdge = (): Promise<Figures> =>
      withServer(run, weir({ workers: 1 }), { ...apart, server: apart.load }, (origin) =>
        withPublishers(run, origin, load, apart, () => {
          const setup = weir({ ...settings, origin: `127.0.0.1:${origin.port}` })
          return measure(run, setup, { ...load, streamsBegin: 'by themselves' })
        }),
      )
    const rounds = await alternate([onOrigin, onEdge])
    const all = rounds.map(({ best }) => best)
    const [own, pulled] = all as [Figures, Figures]
    const title = 'CPU to deliver one stream to 1,000 players'
    return {
      targets: [
        atMost('CPU s per GB, of an origin', ratio(cpuPerGb(pulled), cpuPerGb(own)), 1.05),
        atMost('errors of players', errorsOf(pulled.played!.result), 0),
      ],
      table: playTable(all),
      charts: [barChart('edge.svg', title, 'CPU seconds per GB, less is better', cpuBars(all))],
      notes: [alternateNote, 'The edge’s origin runs on the core of the load.'],
      data: rounds,
    }
  },
}
