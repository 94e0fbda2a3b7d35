import { measure } from '../measure.ts'
import { atMost } from '../report/target.ts'
import { rawHops } from '../servers/floor.ts'
import { weir } from '../servers/weir.ts'
import type { BenchCase } from './bench-case.ts'
import { latencyTable, measurePeers, present } from './peer-figures.ts'

/** One publisher, one player, an idle machine: nothing to gather, so nothing may wait. */
export const latencyAlone: BenchCase = {
  name: 'latency-alone',
  title: 'A stream alone, default settings',
  async measure(run) {
    const load = { clip: 500, streams: 1, players: 1, streamsBegin: 'before players' } as const
    const figures = await measure(run, weir(), load)
    const hops = await measure(run, rawHops(run.clip(load.clip)), {
      ...load,
      streamsBegin: 'by themselves',
      over: 'HTTP-FLV',
    })
    // One process, one core: what the machine itself adds at this moment shows in theirs too.
    const peers = present(await measurePeers(run, load))
    const latency = figures.played!.result.latencyMs
    return {
      targets: [atMost('latency p99', latency?.p99 ?? null, 5, 'ms')],
      table: latencyTable(figures, hops, ...peers),
      charts: [],
      notes: [
        'Latency is from the publisher’s send to the player’s receipt, on this machine. Raw writes go from the encoder ' +
          'over the same sockets through as many processes, and nobody looks at them (bench/servers/hops-server.ts).',
      ],
      data: [figures, hops, ...peers],
    }
  },
}

/** `auto` must not gather while there is little to do. */
export const latencyAuto: BenchCase = {
  name: 'latency-auto',
  title: '`mw_latency auto`, 100 players',
  async measure(run) {
    const setup = weir({ mwLatency: 'auto', workers: 1 })
    const figures = await measure(run, setup, {
      clip: 500,
      streams: 1,
      players: 100,
      streamsBegin: 'before players',
    })
    const latency = figures.played!.result.latencyMs
    return {
      targets: [
        atMost('latency p50', latency?.p50 ?? null, 5, 'ms'),
        atMost('latency p99', latency?.p99 ?? null, 20, 'ms'),
      ],
      table: latencyTable(figures),
      charts: [],
      notes: [],
      data: figures,
    }
  },
}
