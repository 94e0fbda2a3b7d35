import { type Figures, type Load, measure } from '../measure.ts'
import {
  type Demand,
  predict,
  type Shares,
  type Units,
  usableShare,
  workersWithPlayers,
  writeUnits,
} from '../model.ts'
import { format } from '../report/target.ts'
import { weir } from '../servers/weir.ts'
import type { BenchCase } from './bench-case.ts'
import { mergedMs } from './peer-figures.ts'

const quickMs = 100
const manyWorkers = 4
const playersPerStream = 5
/** One core is to start a process for each of the first, beside all else. */
const publishersPerSecond = 10

/** Machines and demands that the units are applied to. */
const machines = [
  { cores: 16, gbps: 10 },
  { cores: 16, gbps: 25 },
  { cores: 64, gbps: 10 },
  { cores: 64, gbps: 25 },
]
const demands: readonly Omit<Demand, 'gbps'>[] = [
  { kbps: 500, playersPerStream: Number.POSITIVE_INFINITY, intervalMs: mergedMs },
  { kbps: 500, playersPerStream: Number.POSITIVE_INFINITY, intervalMs: quickMs },
  { kbps: 2000, playersPerStream: 100, intervalMs: mergedMs },
  { kbps: 500, playersPerStream: 20, intervalMs: mergedMs },
]

/** The units that a server's cost is made of, each measured, and what they predict for larger machines. */
export const model: BenchCase = {
  name: 'model',
  title: 'What a server’s cost is made of, and what that predicts',
  async measure(run) {
    const one: Load = { clip: 500, streams: 1, players: run.count(4000), streamsBegin: 'before players' }
    const seldom = await measure(run, weir({ mwLatency: mergedMs, workers: 1 }), one)
    const often = await measure(run, weir({ mwLatency: quickMs, workers: 1 }), one)
    const streams = run.count(100)
    const many: Load = { ...one, streams, ramp: publishersPerSecond, players: streams * playersPerStream }
    const published = await measure(run, weir({ mwLatency: mergedMs, workers: 1 }), { ...many, players: 0 })
    const inOne = await measure(run, weir({ mwLatency: mergedMs, workers: 1 }), many)
    const inMany = await measure(run, weir({ mwLatency: mergedMs, workers: manyWorkers }), many)

    const write = (figures: Figures, intervalMs: number) => ({
      players: one.players,
      intervalMs,
      kbps: figures.played!.result.kbpsMean,
      cpuPercent: percentOf(figures, 'stream worker'),
    })
    const subscriptions = streams * (workersWithPlayers(manyWorkers, playersPerStream) - 1)
    const units: Units = {
      ...writeUnits(write(seldom, mergedMs), write(often, quickMs)),
      publisher: sharesOf(published, null, streams),
      subscription: sharesOf(inMany, inOne, subscriptions),
    }
    return {
      targets: [],
      table: predictionTable(units),
      charts: [],
      notes: [unitText(units), assumptions],
      data: { units, seldom, often, published, inOne, inMany },
    }
  },
}

function percentOf({ roles, seconds }: Figures, role: string): number {
  const cpuSeconds = roles.find((candidate) => candidate.role === role)?.cpuSeconds ?? 0
  return (cpuSeconds / seconds) * 100
}

/** What one of `count` costs, which are in the first figures and not in the others. */
function sharesOf(figures: Figures, others: Figures | null, count: number): Shares {
  const usEach = (role: string): number => {
    const more = percentOf(figures, role) - (others === null ? 0 : percentOf(others, role))
    return (Math.max(more, 0) / 100 / count) * 1e6
  }
  return { workerUs: usEach('stream worker'), sourceUs: usEach('back-source') }
}

function unitText({ writeUs, writeUsPerKb, publisher, subscription }: Units): string {
  const shares = ({ workerUs, sourceUs }: Shares): string =>
    `${format(workerUs)} us a second in the stream worker and ${format(sourceUs)} us in the back-source`
  return [
    `Measured units: a write of a batch to a player costs ${format(writeUs)} us and ${format(writeUsPerKb)} us for each kB`,
    `(4,000 players at ${mergedMs} and ${quickMs} ms); a published stream ${shares(publisher)} (100 publishers);`,
    `a stream in one more worker that has players of it ${shares(subscription)} (500 players of 100 streams in`,
    `${manyWorkers} workers, less those in one).`,
  ].join(' ')
}

const assumptions =
  'Assumed: writes to a network card cost as much as those over loopback do, with the receiver’s part of TCP in it; ' +
  'cores are as fast as these and share nothing; the kernel spreads players evenly; streams are of the clip’s frame rate, ' +
  'and each costs as much where there are many as here (it is less, as wake-ups serve several); ' +
  `no process is busier than ${usableShare * 100} %. Cores’ worth: writes + publishers + streams in workers.`

function predictionTable(units: Units): string[][] {
  const heads = [
    'machine, demand',
    'players',
    'streams',
    'cores’ worth',
    'in all',
    'stream workers',
    'ends first',
  ]
  const rows = machines.flatMap(({ cores, gbps }) =>
    demands.map((demand) => {
      const streams =
        demand.playersPerStream === Number.POSITIVE_INFINITY
          ? 'one stream'
          : `${demand.playersPerStream} players a stream`
      const prediction = predict(units, { ...demand, gbps }, cores)
      const { players, writeCores, publishCores, subscribeCores, workers } = prediction
      const all = writeCores + publishCores + subscribeCores
      return [
        `${cores} cores, ${gbps} Gbit/s: ${demand.kbps} kbit/s, ${streams}, ${demand.intervalMs} ms`,
        String(players),
        String(prediction.streams),
        [writeCores, publishCores, subscribeCores].map(format).join(' + '),
        format(all),
        workers === null ? `${cores} are too few` : String(workers),
        workers === null ? 'CPU' : 'network',
      ]
    }),
  )
  return [heads, ...rows]
}
