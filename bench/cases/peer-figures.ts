/** Weir's figures beside those of the peers that are here. */
import type { BenchRun } from '../bench-run.ts'
import { clips } from '../clip.ts'
import { type Figures, type Load, measure } from '../measure.ts'
import type { Bar } from '../report/chart.ts'
import type { Table } from '../report/markdown.ts'
import { format } from '../report/target.ts'
import { nginxRtmp } from '../servers/nginx-rtmp.ts'
import { nodeMediaServer } from '../servers/node-media-server.ts'
import type { ServerSetup } from '../servers/server.ts'

/** Merged writes for all, in ms; at the clip's 68 messages/s those are 24 messages. */
export const mergedMs = 350
const mergedMessages = 24

export interface PeerFigures {
  /** Gathering what it can. null: not here, or it failed. */
  readonly nginxMerged: Figures | null
  readonly nginxDefault: Figures | null
  readonly nodeMediaServer: Figures | null
  /** Why one is missing from the table. */
  readonly notes: readonly string[]
}

/** The load is halved for a peer that cannot carry it, this often at most. */
const halvings = 2

/** Of the clip's bit rate, what players get from a server that carries its load. */
const carriedShare = 0.95

/**
 * Measures each peer under this load, or the largest half, quarter … of it that it can carry: what an overloaded server
 * spends per GB compares with nothing. A peer that fails is noted, and is no failure of the case.
 */
export async function measurePeers(run: BenchRun, load: Load): Promise<PeerFigures> {
  const notes: string[] = []
  const attempt = async (version: string | null, setup: ServerSetup): Promise<Figures | null> => {
    const name = `${setup.name} (${setup.setting})`
    if (version === null) {
      notes.push(`${name} is missing: it is not installed.`)
      return null
    }
    for (let divisor = 1; divisor <= 2 ** halvings; divisor *= 2) {
      const players = Math.ceil(load.players / divisor)
      try {
        const figures = await measure(run, setup, { ...load, players })
        const percent = deliveredShare(figures, load) * 100
        if (percent >= carriedShare * 100) return figures
        notes.push(
          `${name}, ${players} players: each got only ${format(percent)} % of the stream ` +
            `(server ${format(figures.cpuPercent)} %, load ${format(loadPercent(figures))} % of a core).`,
        )
      } catch (error) {
        notes.push(`${name}, ${players} players: ${(error as Error).message}.`)
      }
      if (load.players === 0) break
    }
    notes.push(`${name} is missing: it carried none of the loads.`)
    return null
  }
  const { nginxRtmp: nginx, nodeMediaServer: nms } = run.peers
  // Without players there is nothing to merge.
  const merges = load.players > 0
  return {
    nginxMerged: merges ? await attempt(nginx, nginxRtmp(mergedMessages)) : null,
    nginxDefault: await attempt(nginx, nginxRtmp()),
    nodeMediaServer: await attempt(nms, nodeMediaServer()),
    notes,
  }
}

/** CPU of the load tool's players, in % of a core; 0 without players. */
function loadPercent({ played }: Figures): number {
  return played === null ? 0 : (played.result.cpuSeconds / played.result.seconds) * 100
}

/** What a player got on average, of what the clip has; 1 without players. */
function deliveredShare({ played }: Figures, load: Load): number {
  const { video, audio } = clips[load.clip]
  return played === null ? 1 : played.result.kbpsMean / (video + audio)
}

/** All of them that there are, in one order. */
export function present({ nginxMerged, nginxDefault, nodeMediaServer }: PeerFigures): Figures[] {
  return [nginxMerged, nginxDefault, nodeMediaServer].filter((figures) => figures !== null)
}

export function cpuPerGb(figures: Figures | null): number | null {
  return figures?.played?.cpuSecondsPerGb ?? null
}

/** A row for each server: what it spent, and what its players got. */
export function playTable(all: readonly Figures[]): Table {
  const heads = [
    'server',
    'players',
    'CPU s per GB',
    '% of a core, by role',
    'kbit/s a player (least)',
    'latency p50 / p99 ms',
    'errors',
    'load % of a core',
    'PSS MB',
    'RSS growth kB a player',
  ]
  const rows = all.map((figures) => {
    const { server, setting, seconds, roles, played, pssMb } = figures
    if (played === null) throw new Error('a table of players without players')
    const { result, cpuSecondsPerGb, rssGrowthKbPerPlayer } = played
    const { kbpsMean, kbpsMin, latencyMs } = result
    return [
      `${server}, ${setting}`,
      String(result.clients),
      format(cpuSecondsPerGb),
      roles.map(({ role, cpuSeconds }) => `${role} ${format((cpuSeconds / seconds) * 100)}`).join(', '),
      `${format(kbpsMean)} (${format(kbpsMin)})`,
      latencyMs === null ? '–' : `${format(latencyMs.p50)} / ${format(latencyMs.p99)}`,
      String(errorsOf(result)),
      format(loadPercent(figures)),
      format(pssMb),
      format(rssGrowthKbPerPlayer),
    ]
  })
  return [heads, ...rows]
}

/** A row with the latency of one server's players. */
export function latencyTable(...all: readonly Figures[]): Table {
  const rows = all.map(({ server, setting, played }) => {
    const latency = played?.result.latencyMs
    if (latency == null) throw new Error('the players found no stamped frame')
    const { p50, p99, max, count } = latency
    return [`${server}, ${setting}`, String(count), format(p50), format(p99), format(max)]
  })
  return [['server', 'frames', 'latency p50 ms', 'p99 ms', 'max ms'], ...rows]
}

/** A row for each role of each server: CPU and memory. */
export function roleTable(all: readonly Figures[]): Table {
  const heads = ['server, role', 'processes', '% of a core', 'voluntary switches/s', 'RSS MB', 'PSS MB']
  const rows = all.flatMap(({ server, setting, seconds, roles }) =>
    roles.map(({ role, processes, cpuSeconds, voluntarySwitches, rssMb, pssMb }) => [
      `${server}, ${setting}: ${role}`,
      String(processes),
      format((cpuSeconds / seconds) * 100),
      format(voluntarySwitches / seconds),
      format(rssMb),
      format(pssMb),
    ]),
  )
  return [heads, ...rows]
}

export function cpuBars(all: readonly Figures[]): Bar[] {
  return all.map((figures) => ({
    label: `${figures.server}, ${figures.setting}`,
    value: cpuPerGb(figures) ?? 0,
  }))
}

/** Everything that went wrong for the players: clients that failed, frames that are missing, bytes that are wrong. */
export function errorsOf(result: {
  readonly errors: Readonly<Record<string, number>>
  readonly gaps: number
  readonly timestampErrors: number
  readonly framingErrors: number
}): number {
  const clients = Object.values(result.errors).reduce((sum, count) => sum + count, 0)
  return clients + result.gaps + result.timestampErrors + result.framingErrors
}
