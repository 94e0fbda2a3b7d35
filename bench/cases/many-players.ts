import { clips } from '../clip.ts'
import { measure } from '../measure.ts'
import { atLeast, atMost } from '../report/target.ts'
import { weir } from '../servers/weir.ts'
import { cores, together } from '../system/placement.ts'
import type { BenchCase } from './bench-case.ts'
import { errorsOf, mergedMs, playTable } from './peer-figures.ts'

/** As many players as the whole machine shall carry, with the load on the same cores. */
export const manyPlayers: BenchCase = {
  name: 'many-players',
  title: '10,000 players of one stream at 250 kbit/s',
  async measure(run) {
    const load = {
      clip: 250,
      streams: 1,
      players: run.count(10_000),
      streamsBegin: 'before players',
    } as const
    const { video, audio } = clips[load.clip]
    const figures = await measure(run, weir({ mwLatency: mergedMs, workers: cores }), load, together)
    const { result } = figures.played!
    return {
      targets: [
        atLeast('kbit/s of the player that got least', result.kbpsMin, 0.95 * (video + audio), 'kbit/s'),
        atMost('players that failed, frames missing', errorsOf(result), 0),
        atMost('latency p99', result.latencyMs?.p99 ?? null, 500, 'ms'),
      ],
      table: playTable([figures]),
      charts: [],
      notes: [`Server and load share all ${cores} cores.`],
      data: figures,
    }
  },
}
