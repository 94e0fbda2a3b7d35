import type { Snapshot } from '../../src/http/api/schema/server.ts'

type Stream = Snapshot['streams'][number]

/** A stream as the API tells it. */
export function streamOf(fields: Partial<Stream>): Stream {
  return {
    id: 'vid-1',
    name: 'one',
    vhost: '__defaultVhost__',
    app: 'live',
    tcUrl: '',
    url: '/live/one',
    live_ms: 0,
    clients: 1,
    frames: 0,
    send_bytes: 0,
    recv_bytes: 0,
    kbps: { recv_30s: 0, send_30s: 0 },
    publish: { active: true, cid: 'c' },
    video: null,
    audio: null,
    publish_ms: 0,
    players: {},
    hls: null,
    dvr: null,
    forwards: [],
    upstream: null,
    push: null,
    ...fields,
  }
}

/** A server with these streams at that moment. */
export function snapshotOf(nowMs: number, streams: readonly Partial<Stream>[] = [], sent = 0): Snapshot {
  return {
    now_ms: nowMs,
    version: '1.0.0',
    uptime: nowMs / 1000,
    connections: 0,
    max_connections: 1000,
    refused_connections: 0,
    totals: { clients: 0, publishers: 0, players: {}, send_bytes: sent, recv_bytes: 0 },
    workers: [],
    streams: streams.map(streamOf),
    streams_total: streams.length,
  }
}
