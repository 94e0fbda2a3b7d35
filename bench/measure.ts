/** One measurement: a server, publishers, players, and what the server spent meanwhile. */

import type { PlayResult, PublishResult } from '../src/tools/bench/result.ts'
import { type BenchRun, delay, within } from './bench-run.ts'
import type { ClipKbps } from './clip.ts'
import { type LoadRun, play, publish } from './load-tool.ts'
import { RunningServer, type ServerSetup } from './servers/server.ts'
import { apart, type Placement } from './system/placement.ts'
import { type MemorySample, type ProcessSample, sampleCpu, sampleMemory } from './system/process-tree.ts'

export interface Load {
  readonly clip: ClipKbps
  /** Publishers, each with a stream of its own. */
  readonly streams: number
  /** Publishers that come in a second, at most; {@link publishersPerSecond} without it. */
  readonly ramp?: number
  /** Players in all, spread evenly over the streams; 0: the publishers alone are the load. */
  readonly players: number
  /**
   * Whether the streams run when the players come, or begin when all are there. The latter is for loads near the limit
   * of a server or of the load itself, where players that join one by one would take minutes to come up. A server may
   * also have a stream of its own.
   */
  readonly streamsBegin: 'before players' | 'after players' | 'by themselves'
  /** How the players take the streams; RTMP if it is left out. */
  readonly over?: 'RTMP' | 'HTTP-FLV'
}

type PublishLoad = Pick<Load, 'clip' | 'streams' | 'ramp'>

/** A server that starts a process for each of the first streams is not to be judged by how it does that all at once. */
const publishersPerSecond = 20

/** What one role's processes spent, together. */
export interface RoleFigures {
  readonly role: string
  readonly processes: number
  readonly cpuSeconds: number
  readonly voluntarySwitches: number
  readonly rssMb: number
  readonly pssMb: number
}

export interface Figures {
  readonly server: string
  readonly setting: string
  /** Of the CPU figures, in seconds. */
  readonly seconds: number
  readonly roles: readonly RoleFigures[]
  readonly cpuSeconds: number
  /** Of one core. */
  readonly cpuPercent: number
  readonly rssMb: number
  readonly pssMb: number
  /** What the players got; null without players. */
  readonly played: PlayFigures | null
}

export interface PlayFigures {
  readonly result: PlayResult
  readonly cpuSecondsPerGb: number
  /** Growth of the whole tree's resident memory since before the first player came, in kB (1000 bytes) per player. */
  readonly rssGrowthKbPerPlayer: number
}

/** Time for the streams to settle before anything is sampled, in ms. */
const settleMs = 1500

/** How long all clients may take to be up, in ms: an overloaded peer takes its time. */
const upTimeoutMs = 120_000

/** Runs `use` against a server that is stopped afterwards, whatever happens. */
export async function withServer<Result>(
  run: BenchRun,
  setup: ServerSetup,
  placement: Placement,
  use: (server: RunningServer) => Promise<Result>,
): Promise<Result> {
  run.say(`${setup.name} (${setup.setting})`)
  const server = await RunningServer.start(setup, run.dir, placement.server)
  try {
    return await use(server)
  } finally {
    await server.stop()
  }
}

/** Starts publishers and waits until all are up; they are stopped after `use`. */
export async function withPublishers<Result>(
  run: BenchRun,
  server: RunningServer,
  load: PublishLoad,
  placement: Placement,
  use: () => Promise<Result>,
): Promise<Result> {
  const publishers = startPublishers(run, server, load, placement)
  try {
    const failed = await within(upTimeoutMs, publishers.up, `${load.streams} publishers are not up`)
    if (failed > 0) {
      await publishers.stop()
      const { errors } = await publishers.result
      throw new Error(`${failed} of ${load.streams} publishers failed: ${JSON.stringify(errors)}`)
    }
    await delay(settleMs)
    return await use()
  } finally {
    await publishers.stop()
  }
}

/** Measures a load against a server of its own. */
export function measure(
  run: BenchRun,
  setup: ServerSetup,
  load: Load,
  placement: Placement = apart,
): Promise<Figures> {
  return withServer(run, setup, placement, (server) => {
    const measured = (): Promise<Figures> =>
      load.players === 0 ? measureIdle(run, server) : measurePlayers(run, server, load, placement)
    return load.streamsBegin === 'before players'
      ? withPublishers(run, server, load, placement, measured)
      : measured()
  })
}

function startPublishers(
  run: BenchRun,
  server: RunningServer,
  { clip, streams, ramp = publishersPerSecond }: PublishLoad,
  placement: Placement,
): LoadRun<PublishResult> {
  return publish({ url: server.url('s_{i}'), streams, clip: run.clip(clip), ramp, coreList: placement.load })
}

async function measureIdle(run: BenchRun, server: RunningServer): Promise<Figures> {
  const cpu = await cpuDuring(server, run.seconds)
  return figuresOf(server, cpu, sampleMemory(server.pid), null)
}

async function measurePlayers(
  run: BenchRun,
  server: RunningServer,
  load: Load,
  placement: Placement,
): Promise<Figures> {
  const { players, streams, over } = load
  const name = streams === 1 ? 's_0' : 's_{i}'
  const before = sampleMemory(server.pid)
  const playing = play({
    url: over === 'HTTP-FLV' ? server.httpUrl(`/live/${name}.flv`) : server.url(name),
    players,
    ...(streams === 1 ? {} : { streams }),
    seconds: run.seconds,
    coreList: placement.load,
  })
  let publishers: LoadRun<PublishResult> | null = null
  try {
    await within(upTimeoutMs, playing.up, `${players} players are not up`)
    if (load.streamsBegin === 'after players') publishers = startPublishers(run, server, load, placement)
    await within(upTimeoutMs, playing.started, 'the load tool does not begin to measure')
    // A little less than the tool measures: its players must not be leaving yet.
    const cpu = await cpuDuring(server, run.seconds - 0.2)
    const memory = sampleMemory(server.pid)
    const result = await within(upTimeoutMs, playing.result, 'the load tool does not report')
    const gigabytesPerSecond = result.bytes / result.seconds / 1e9
    const growth = total(memory, 'rssBytes') - total(before, 'rssBytes')
    const figures = figuresOf(server, cpu, memory, {
      result,
      cpuSecondsPerGb: cpu.cpuSeconds / cpu.seconds / gigabytesPerSecond,
      rssGrowthKbPerPlayer: growth / 1000 / players,
    })
    return over === undefined ? figures : { ...figures, setting: `${figures.setting}, ${over}` }
  } finally {
    await playing.stop()
    await publishers?.stop()
  }
}

export interface CpuFigures {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly before: ReadonlyMap<number, ProcessSample>
  readonly after: readonly ProcessSample[]
}

/** CPU of the server's tree over a time. A process that began meanwhile counts from its start. */
export async function cpuDuring(server: RunningServer, seconds: number): Promise<CpuFigures> {
  const begin = performance.now()
  const before = new Map(sampleCpu(server.pid).map((sample) => [sample.pid, sample]))
  await delay(seconds * 1000)
  const end = performance.now()
  const after = sampleCpu(server.pid)
  const cpuSeconds = after.reduce(
    (sum, { pid, cpuSeconds }) => sum + cpuSeconds - (before.get(pid)?.cpuSeconds ?? 0),
    0,
  )
  return { seconds: (end - begin) / 1000, cpuSeconds, before, after }
}

function figuresOf(
  server: RunningServer,
  cpu: CpuFigures,
  memory: readonly MemorySample[],
  played: PlayFigures | null,
): Figures {
  const roles = [...new Set(cpu.after.map(({ role }) => role))].map((role): RoleFigures => {
    const samples = cpu.after.filter((sample) => sample.role === role)
    const own = memory.filter((sample) => sample.role === role)
    const spent = (key: 'cpuSeconds' | 'voluntarySwitches'): number =>
      samples.reduce((sum, sample) => sum + sample[key] - (cpu.before.get(sample.pid)?.[key] ?? 0), 0)
    return {
      role,
      processes: samples.length,
      cpuSeconds: spent('cpuSeconds'),
      voluntarySwitches: spent('voluntarySwitches'),
      rssMb: total(own, 'rssBytes') / 1e6,
      pssMb: total(own, 'pssBytes') / 1e6,
    }
  })
  return {
    server: server.setup.name,
    setting: server.setup.setting,
    seconds: cpu.seconds,
    roles,
    cpuSeconds: cpu.cpuSeconds,
    cpuPercent: (cpu.cpuSeconds / cpu.seconds) * 100,
    rssMb: total(memory, 'rssBytes') / 1e6,
    pssMb: total(memory, 'pssBytes') / 1e6,
    played,
  }
}

function total(samples: readonly MemorySample[], key: 'rssBytes' | 'pssBytes'): number {
  return samples.reduce((sum, sample) => sum + sample[key], 0)
}
