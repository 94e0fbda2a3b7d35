import type { StreamStatus } from '../ipc/contract.ts'
import { displayName } from '../live/stream-key.ts'
import type { ServerStatus } from './control-contract.ts'

/** The status as a person reads it in a terminal. */
export function formatStatus(status: ServerStatus): string {
  const lines = [
    `weir ${status.version}  pid ${status.pid}  up ${duration(status.uptimeMs)}  ${status.configFile}`,
    `connections ${status.connections} of ${status.maxConnections} (${status.refusedConnections} refused)  streams ${status.sources}`,
    '',
    table([
      ['PROCESS', 'PID', 'UP', 'RSS', 'CPU', 'BUSY', 'CONNECTIONS'],
      ...status.workers.map((worker) => [
        `${worker.role} ${worker.index}`,
        String(worker.pid),
        duration(worker.uptimeMs),
        `${(worker.rssBytes / 1e6).toFixed(0)} MB`,
        `${(worker.cpuMs / 1000).toFixed(1)} s`,
        `${(worker.eventLoopUtilization * 100).toFixed(0)} %`,
        String(worker.connections),
      ]),
      ...status.silent.map(({ role, index, pid, state }) => {
        return [`${role} ${index}`, String(pid), state, '-', '-', '-', '-']
      }),
    ]),
  ]
  const streams = streamRows(status)
  if (streams.length > 0) {
    lines.push('', table([['STREAM', 'BACK-SOURCE', 'STATE', 'VIDEO', 'AUDIO', 'PLAYERS', 'IN'], ...streams]))
  }
  return `${lines.join('\n')}\n`
}

/** One row per source; players are counted over all workers that serve them. */
function streamRows(status: ServerStatus): string[][] {
  const players = new Map<string, number>()
  for (const worker of status.workers.filter(({ role }) => role !== 'back-source')) {
    for (const stream of worker.streams) {
      players.set(stream.stream, (players.get(stream.stream) ?? 0) + stream.players)
    }
  }
  const sources = status.workers.filter(({ role }) => role === 'back-source')
  return sources.flatMap((worker) => worker.streams.map((stream) => row(stream, worker.pid, players)))
}

function row(stream: StreamStatus, pid: number, players: ReadonlyMap<string, number>): string[] {
  return [
    displayName(stream.stream),
    String(pid),
    stream.publishing ? 'live' : 'waiting',
    stream.video ?? '-',
    stream.audio ?? '-',
    String(players.get(stream.stream) ?? 0),
    `${(stream.bytesIn / 1e6).toFixed(1)} MB`,
  ]
}

function table(rows: string[][]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)))
  return rows
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

function duration(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${seconds % 60}s`
  return `${Math.floor(seconds / 3600)}h${Math.floor((seconds % 3600) / 60)}m`
}
