/** What a server costs, from a few measured units, and what that predicts for other machines. Arithmetic alone. */

/** Two measurements of the same players, whose batches came more or less often. */
export interface WriteFigures {
  readonly players: number
  readonly intervalMs: number
  /** Of one player. */
  readonly kbps: number
  /** Of one core, of the process that writes. */
  readonly cpuPercent: number
}

/** Costs in microseconds of CPU. */
export interface Units {
  /** A write of a batch to a player, and what it costs more with each kB of the batch. */
  readonly writeUs: number
  readonly writeUsPerKb: number
  /** A second of a published stream. */
  readonly publisher: Shares
  /** A second of a stream in a stream worker that has players of it. */
  readonly subscription: Shares
}

/** What something costs the stream workers and what the back-sources. */
export interface Shares {
  readonly workerUs: number
  readonly sourceUs: number
}

/**
 * Splits what a write costs into what each costs and what its bytes cost.
 * @param often the same players with a shorter interval
 */
export function writeUnits(
  seldom: WriteFigures,
  often: WriteFigures,
): Pick<Units, 'writeUs' | 'writeUsPerKb'> {
  const [large, small] = [writeOf(seldom), writeOf(often)]
  const writeUsPerKb = (large.us - small.us) / (large.kb - small.kb)
  return { writeUs: small.us - writeUsPerKb * small.kb, writeUsPerKb }
}

function writeOf({ players, intervalMs, kbps, cpuPercent }: WriteFigures): { us: number; kb: number } {
  const perSecond = (players * 1000) / intervalMs
  return { us: ((cpuPercent / 100) * 1e6) / perSecond, kb: (kbps * intervalMs) / 8 / 1000 }
}

/**
 * In how many of the workers at least one of a stream's players is, on average: the kernel puts each anywhere.
 * @param players of one stream
 */
export function workersWithPlayers(workers: number, players: number): number {
  return workers * (1 - (1 - 1 / workers) ** players)
}

/** What is asked of a machine: players of streams that fill its network. */
export interface Demand {
  readonly gbps: number
  readonly kbps: number
  readonly playersPerStream: number
  readonly intervalMs: number
}

export interface Prediction {
  readonly players: number
  readonly streams: number
  /** Stream workers that are loaded to {@link usableShare} at most; null: more than there are cores. */
  readonly workers: number | null
  /** Cores' worth of CPU: for the writes to players, for publishers, for streams in several workers. */
  readonly writeCores: number
  readonly publishCores: number
  readonly subscribeCores: number
}

/** A process that is busier than this has no room for bursts. */
export const usableShare = 0.7

/** The least workers that carry the players of a demand; streams in them cost the more the more workers there are. */
export function predict(units: Units, demand: Demand, cores: number): Prediction {
  const { gbps, kbps, playersPerStream, intervalMs } = demand
  const players = Math.floor((gbps * 1e6) / kbps)
  const streams = Math.max(Math.ceil(players / playersPerStream), 1)
  const batchKb = (kbps * intervalMs) / 8 / 1000
  const writeCores = (players * (1000 / intervalMs) * (units.writeUs + units.writeUsPerKb * batchKb)) / 1e6
  const coresOf = (count: number, { workerUs, sourceUs }: Shares): number =>
    (count * (workerUs + sourceUs)) / 1e6
  const publishCores = coresOf(streams, units.publisher)
  const at = (workers: number): Prediction => {
    const subscriptions = streams * workersWithPlayers(workers, playersPerStream)
    const subscribeCores = coresOf(subscriptions, units.subscription)
    return { players, streams, workers, writeCores, publishCores, subscribeCores }
  }
  for (let workers = 1; workers <= cores; workers++) {
    const prediction = at(workers)
    const { subscribeCores } = prediction
    const ofWorkers =
      writeCores +
      publishCores * workerShare(units.publisher) +
      subscribeCores * workerShare(units.subscription)
    const fitsWorkers = ofWorkers <= workers * usableShare
    if (fitsWorkers && writeCores + publishCores + subscribeCores <= cores * usableShare) return prediction
  }
  return { ...at(cores), workers: null }
}

function workerShare({ workerUs, sourceUs }: Shares): number {
  return workerUs / Math.max(workerUs + sourceUs, Number.MIN_VALUE)
}
