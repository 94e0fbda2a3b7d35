import { version } from '../../base/version.ts'
import { maxPageSize } from '../../ipc/contract.ts'
import { sumOf, sumOfPlayers, type TrafficView } from '../views.ts'
import type { ApiHost } from './api-host.ts'
import { streamData } from './lists.ts'
import type { Snapshot, Totals } from './schema/server.ts'
import { workerData } from './workers.ts'

/** The whole server at a moment. */
export async function takeSnapshot({ inspector }: ApiHost): Promise<Snapshot> {
  const [{ server, processes }, { items, total }, { traffic }] = await Promise.all([
    inspector.status(),
    inspector.streams(0, maxPageSize),
    inspector.traffic(),
  ])
  return {
    now_ms: Date.now(),
    version,
    uptime: server.uptimeMs / 1000,
    connections: server.connections,
    max_connections: server.maxConnections,
    refused_connections: server.refusedConnections,
    totals: totalsOf(traffic),
    workers: processes.map(workerData),
    streams: items.map(streamData),
    streams_total: total,
  }
}

/** All virtual hosts together. */
export function totalsOf(traffic: readonly TrafficView[]): Totals {
  return {
    clients: sumOf(traffic, ({ clients }) => clients),
    publishers: sumOf(traffic, ({ publishers }) => publishers),
    players: sumOfPlayers(traffic),
    send_bytes: sumOf(traffic, ({ sendBytes }) => sendBytes),
    recv_bytes: sumOf(traffic, ({ recvBytes }) => recvBytes),
  }
}
