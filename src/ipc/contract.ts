import { WeirError } from '../base/errors.ts'
import type { LogOptions } from '../base/logger.ts'
import type { Config } from '../config/config.ts'

/**
 * The contract between Weir's processes: every control message there is, for every pair of processes.
 * Frames are in frame.ts; docs/protocol.md tells the flows as stories.
 *
 * Two kinds of channel exist:
 * - the **control channel**, a socket pair that the master makes for each worker (file descriptor 3);
 * - **media channels**, Unix-socket connections between a stream worker and a back-source. The receiver of
 *   media connects: only a connecting socket can read into a buffer of its own, which halves a wake-up.
 */

/** Raised with every change that an older process would not understand. Both ends of a channel say it first. */
export const protocolVersion = 2

/** @throws WeirError IPC_VERSION when the other process speaks another version */
export function checkVersion(version: number): void {
  if (version === protocolVersion) return
  const versions = `the other process speaks version ${version}, this one ${protocolVersion}`
  throw new WeirError('IPC_VERSION', versions)
}

/** Where a control channel is found in a worker. */
export const controlFd = 3

/** What a worker process does. */
export type WorkerRole = 'stream' | 'back-source' | 'http'

/** What makes a stream the same stream: `vhost/app/stream`, the vhost after resolution. See live/stream-key.ts. */
export type StreamId = string

/** A number that the master gives a source for its life; media frames carry it. */
export type SourceNumber = number

/** Names a publish within its stream worker. */
export type PublishId = number

/** A publisher and where to pull its media from. */
export interface PublisherRef {
  /** Unix-socket path of the stream worker that holds the publisher's connection. */
  path: string
  publishId: PublishId
  /** Connection id of the publisher: the source id in logs. */
  connectionId: string
}

/** Master to any worker. */
export type FromMaster =
  | {
      t: 'init'
      version: number
      index: number
      socketPath: string
      serverId: string
      config: Config
      log: LogOptions
    }
  | { t: 'reload'; config: Config; log: LogOptions }
  | { t: 'reopen-log' }
  /** Stop now: close everything cleanly and exit. */
  | { t: 'stop' }
  /** Take nothing new; exit when the last client is gone. */
  | { t: 'drain' }
  | { t: 'status'; request: number }
  // to workers with clients: stream and http
  | { t: 'admission'; connectionId: string; admitted: boolean }
  | { t: 'publish-answer'; publishId: PublishId; ok: true; source: SourceNumber }
  | { t: 'publish-answer'; publishId: PublishId; ok: false; code: string; message: string }
  /** Another publisher took the stream over, or the stream was taken away. */
  | { t: 'publish-revoked'; publishId: PublishId; code: string; message: string }
  /** Another encoder wants the stream of this publish: is its connection still there? Answer `publish-checked`. */
  | { t: 'check-publish'; request: number; publishId: PublishId }
  /** A watched stream can be pulled from `path` from now on. */
  | { t: 'source-up'; stream: StreamId; source: SourceNumber; path: string; sourceId: string }
  /** Answer to `watch`: nobody publishes the stream at the moment; a `source-up` may follow. */
  | { t: 'source-absent'; stream: StreamId }
  /** A watched stream's source is gone; another `source-up` may follow. */
  | { t: 'source-down'; stream: StreamId; source: SourceNumber }
  // to back-sources
  | { t: 'open'; stream: StreamId; source: SourceNumber; publisher: PublisherRef | null }
  | { t: 'close'; source: SourceNumber }
  /** Nobody has published the stream for `hls_dispose`: delete what HLS has written of it, whether you hold it or not. */
  | { t: 'dispose'; stream: StreamId }

/** Any worker to the master. */
export type ToMaster =
  | { t: 'hello'; version: number; pid: number }
  | { t: 'ready'; endpoints: string[] }
  /** The worker cannot start; it exits after this. */
  | { t: 'failed'; code: string; message: string }
  | { t: 'status'; request: number; status: WorkerStatus }
  /** An operator's signal asked this worker to finish: start its replacement, then answer `drain`. */
  | { t: 'draining' }
  // from workers with clients: stream and http; publishers are in stream workers only
  | { t: 'admit'; connectionId: string }
  | { t: 'left'; connectionId: string }
  | { t: 'publish'; publishId: PublishId; stream: StreamId; ip: string; connectionId: string }
  | { t: 'unpublish'; publishId: PublishId; stream: StreamId }
  | { t: 'publish-checked'; request: number; alive: boolean }
  | { t: 'watch'; stream: StreamId }
  | { t: 'unwatch'; stream: StreamId }
  // from back-sources
  | { t: 'opened'; source: SourceNumber }
  /** The connection to the publisher's stream worker broke: if both still live, open the source again. */
  | { t: 'detached'; source: SourceNumber }
  /** Close the publisher: its stream cannot be taken as its vhost wants it. */
  | { t: 'disconnect'; source: SourceNumber; code: string; message: string }

/** Receiver of media to its sender, on a media channel. */
export type ToSender =
  | { t: 'hello'; version: number }
  /** To a back-source: send me this source, from its cached GOP on. */
  | { t: 'subscribe'; source: SourceNumber }
  | { t: 'unsubscribe'; source: SourceNumber }
  /** To a back-source: send me once more what one who subscribes now gets, between `replay-begin` and `replay-end`. */
  | { t: 'replay'; source: SourceNumber }
  /** To a stream worker: relay this publisher to me under this source number. */
  | { t: 'attach'; publishId: PublishId; source: SourceNumber }

/** Sender of media to its receiver, on a media channel. Media frames travel beside these, in order. */
export type FromSender =
  | { t: 'hello'; version: number }
  /** A new publisher begins: what is cached of the one before is stale. */
  | { t: 'restart'; source: SourceNumber; sourceId: string }
  /** The publisher left; another may come. */
  | { t: 'idle'; source: SourceNumber }
  /** What is between these two was sent before: it is for a format that somebody plays only now. */
  | { t: 'replay-begin'; source: SourceNumber }
  | { t: 'replay-end'; source: SourceNumber }
  /** The sender does not have (or no longer has) what was asked for. */
  | { t: 'gone'; source: SourceNumber }

/** What every process tells of itself. Counters count since its start. */
export interface WorkerStatus {
  role: WorkerRole
  index: number
  pid: number
  uptimeMs: number
  rssBytes: number
  cpuMs: number
  /** Share of the time since the last status in which the event loop was busy, 0 to 1. */
  eventLoopUtilization: number
  connections: number
  streams: StreamStatus[]
}

/** One stream as one process sees it. */
export interface StreamStatus {
  stream: StreamId
  source: SourceNumber
  sourceId: string
  publishing: boolean
  /** Players (in a stream worker) or subscribed workers (in a back-source). */
  players: number
  video: string | null
  audio: string | null
  bytesIn: number
  bytesOut: number
  packetsIn: number
  packetsDropped: number
  /** In a back-source, if HLS is enabled. */
  hls?: HlsStatus
}

/** The HLS of a stream. */
export interface HlsStatus {
  enabled: boolean
  /** `hls_fragment`, in seconds. */
  fragment: number
  /** Number of the newest segment that this process wrote; -1: none yet. */
  sequence: number
  /** Segments in the playlist. */
  segments: number
  /** Segments that could not be written. */
  lost: number
}
