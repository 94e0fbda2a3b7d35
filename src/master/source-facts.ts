import { maxPageSize, type StreamAudience, type StreamId, type VhostTraffic } from '../ipc/contract.ts'
import { vhostOfStream } from '../live/stream-key.ts'
import type { SourceEntry } from './source-entry.ts'

type Sources = ReadonlyMap<StreamId, SourceEntry>

/**
 * What workers that let streams go had sent of them.
 * @param asked null: of all streams, up to a page
 */
export function sentBefore(sources: Sources, asked: readonly StreamId[] | null): StreamAudience[] {
  const streams = asked ?? [...sources.keys()].slice(0, maxPageSize)
  return streams.flatMap((stream) => {
    const sendBytes = sources.get(stream)?.sentBytes ?? 0
    return sendBytes === 0 ? [] : [{ stream, publishers: 0, players: {}, sendBytes, sendKbps: 0 }]
  })
}

/** How many streams each virtual host has; nothing of their clients is known here. */
export function streamsByVhost(sources: Sources): VhostTraffic[] {
  const byVhost = Map.groupBy(sources.keys(), vhostOfStream)
  const unknown = { publishers: 0, players: {}, sendBytes: 0, recvBytes: 0, sendKbps: 0, recvKbps: 0 }
  return [...byVhost].map(([vhost, { length: streams }]) => ({ vhost, ...unknown, streams }))
}
