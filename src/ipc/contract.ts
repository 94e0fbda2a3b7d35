import { WeirError } from '../base/errors.ts'
import type { LogOptions } from '../base/logger.ts'
import type { Config } from '../config/config.ts'
import type { ConfigDiff } from '../config/diff.ts'
import type { AudioDescription, VideoDescription } from '../media/describe.ts'
import type { ClusterStatus } from './cluster-facts.ts'
import type { DvrStatus } from './dvr-status.ts'
import type { EncodedList } from './encoded-list.ts'
import type { ForwardStatus } from './forward-facts.ts'
import type { HlsEdgeFacts } from './hls-edge-facts.ts'
import type { HookCount, HookVisit } from './hook-facts.ts'
import type { ProgramFacts } from './program-facts.ts'
import type { PushStatus } from './push-facts.ts'

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
export const protocolVersion = 10

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
  ip: string
  /** The query as the encoder gave it, with a leading `?`. */
  param: string
  /** Where the stream was forwarded from; see rtmp/forward-route.ts. */
  route: readonly string[]
  /** The encoder has its verdict, from a back-source before this one: it goes on sending. */
  granted: boolean
}

/** Why there is no room for a connection. */
export interface AdmissionRefusal {
  code: 'CONNECTION_LIMIT' | 'ADDRESS_LIMIT'
  message: string
}

/** Where a publish comes from, as its connection told. */
export interface PublishOrigin {
  tcUrl: string
  /** Where the stream was forwarded from; see rtmp/forward-route.ts. */
  route: readonly string[]
}

/** Master to any worker. */
export type FromMaster =
  | {
      t: 'init'
      version: number
      index: number
      socketPath: string
      serverId: string
      /** By which the programs that this server runs are known when they connect to it; see base/own-client.ts. */
      ownToken: string
      config: Config
      log: LogOptions
    }
  | { t: 'reload'; config: Config; log: LogOptions }
  | { t: 'reopen-log' }
  /** Stop now: close everything cleanly and exit. */
  | { t: 'stop' }
  /** Take nothing new; exit when the last client is gone. */
  | { t: 'drain' }
  /** Answer with the same number. */
  | { t: 'ask'; request: number; question: Question }
  // to workers with clients: stream and http
  /** Whether the bandwidth check may begin now. */
  | { t: 'bandwidth-answer'; connectionId: string; allowed: boolean }
  | { t: 'admission'; connectionId: string; refusal: AdmissionRefusal | null }
  /** Answer to `locate`; all '': no other node has the stream. */
  | { t: 'located'; request: number; node: string; rtmp: string; http: string }
  | { t: 'publish-answer'; publishId: PublishId; ok: true; source: SourceNumber }
  /** `redirect`: the server that has the stream, where the encoder is sent. */
  | {
      t: 'publish-answer'
      publishId: PublishId
      ok: false
      code: string
      message: string
      redirect?: string
    }
  /** Another publisher took the stream over, or the stream was taken away. */
  | { t: 'publish-revoked'; publishId: PublishId; code: string; message: string }
  /** Another encoder wants the stream of this publish: is its connection still there? Answer `publish-checked`. */
  | { t: 'check-publish'; request: number; publishId: PublishId }
  /** The worker that let these in is gone: tell of their end in its place. */
  | { t: 'tell-visits'; visits: HookVisit[] }
  /** A watched stream can be pulled from `path` from now on. */
  | { t: 'source-up'; stream: StreamId; source: SourceNumber; path: string; sourceId: string }
  /** Answer to `watch`: nobody publishes the stream at the moment; a `source-up` may follow. */
  | { t: 'source-absent'; stream: StreamId }
  /** A watched stream's source is gone; another `source-up` may follow. */
  | { t: 'source-down'; stream: StreamId; source: SourceNumber }
  // to HTTP workers
  /** What the processes answered to an `inquire`. */
  | { t: 'report'; inquiry: number; server: ServerFacts; answers: WorkerAnswer<EncodedAnswer>[] }
  // to back-sources
  /**
   * Take a stream: that of its publisher, or that of another server. Of one that is there already: take it from there
   * from now on.
   */
  | {
      t: 'open'
      stream: StreamId
      source: SourceNumber
      publisher: PublisherRef | null
      /**
       * Base addresses of the servers to pull it from, in the order to try: `rtmp://192.0.2.1:1935`, or
       * `http://192.0.2.1:8080` (HTTP-FLV); null: it is not pulled.
       */
      pull: readonly string[] | null
      /** Where those that it is pulled for have it from, if these are servers; see rtmp/forward-route.ts. */
      route?: readonly string[]
      /** Base addresses of the servers that its publisher is passed on to, likewise; null: it is not passed on. */
      push: readonly string[] | null
      /** What back-sources that had it before have told of it: it is counted on from there. */
      received?: Received
    }
  /** Pass the stream's publisher on to these servers from now on, as in `open`; a server that is among them keeps it. */
  | { t: 'push'; source: SourceNumber; push: readonly string[] | null }
  | { t: 'close'; source: SourceNumber }
  /** It is the turn of this stream to have what is forwarded of it in the log (`pithy_print_ms`). */
  | { t: 'summarise'; source: SourceNumber }
  /** Nobody has published the stream for `hls_dispose`: delete what HLS has written of it, whether you hold it or not. */
  | { t: 'dispose'; stream: StreamId }
  /** Make whole recordings of what an earlier run of the server left unfinished. */
  | { t: 'recover' }

/** Any worker to the master. */
export type ToMaster =
  | { t: 'hello'; version: number; pid: number }
  | { t: 'ready'; endpoints: string[] }
  /** The worker cannot start; it exits after this. */
  | { t: 'failed'; code: string; message: string }
  /** Null: the question is none for this role. */
  | { t: 'answer'; request: number; answer: EncodedAnswer | null }
  /** An operator's signal asked this worker to finish: start its replacement, then answer `drain`. */
  | { t: 'draining' }
  // from workers with clients: stream and http; publishers are in stream workers only
  | { t: 'admit'; connectionId: string; ip: string }
  /** `failed`: it ended with an error, whoever's that is. */
  | { t: 'left'; connectionId: string; failed: boolean }
  /** A client of that virtual host wants its bandwidth checked, and knows the key. */
  | { t: 'check-bandwidth'; connectionId: string; vhost: string }
  | {
      t: 'publish'
      publishId: PublishId
      stream: StreamId
      ip: string
      connectionId: string
      /** The query as the encoder gave it, with a leading `?`. */
      param: string
      /** Where the stream was forwarded from, if it was. */
      route?: readonly string[]
      /** It is only asked whether the publish would be granted: nothing is taken, whatever the answer is. */
      probe?: true
    }
  | { t: 'unpublish'; publishId: PublishId; stream: StreamId }
  | { t: 'publish-checked'; request: number; alive: boolean }
  /** Which node of the cluster has the stream? Answer `located`. */
  | { t: 'locate'; request: number; stream: StreamId }
  /**
   * Something was let in whose end has to be told, by another worker if this one cannot. Of a back-source: something is
   * to be told that it comes to no more.
   */
  | { t: 'visit-began'; visit: HookVisit }
  /** Its end is told, or will not be. */
  | { t: 'visit-ended'; id: string }
  /** @see downstream for the route */
  | { t: 'watch'; stream: StreamId; route?: readonly string[] }
  /** Another server has a watched stream from here; its route, see rtmp/forward-route.ts. */
  | { t: 'downstream'; stream: StreamId; route: readonly string[] }
  /** @see StreamAudience for what becomes of the bytes that were sent */
  | { t: 'unwatch'; stream: StreamId; bytesOut: number }
  // from HTTP workers
  /** Have these processes (all that can know, if none is named) asked; a `report` with the same number follows. */
  | { t: 'inquire'; inquiry: number; question: Question; pids: number[] | null }
  // from back-sources
  /** Of a stream that is pulled: when its media comes; of one that is passed on: when another server takes it. */
  | { t: 'opened'; source: SourceNumber }
  /** No other server has the stream, or has it any more: close the source. */
  | { t: 'pull-ended'; source: SourceNumber; code: string; message: string }
  /** What became of the latest connection to another server; its base address as in `open`. */
  | { t: 'upstream-health'; address: string; ok: boolean }
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
  /** A new publisher begins: what is cached of the one before is stale. Back-sources are told where it comes from. */
  | { t: 'restart'; source: SourceNumber; sourceId: string; origin?: PublishOrigin }
  /** The publisher left; another may come. */
  | { t: 'idle'; source: SourceNumber }
  /** What is between these two was sent before: it is for a format that somebody plays only now. */
  | { t: 'replay-begin'; source: SourceNumber }
  | { t: 'replay-end'; source: SourceNumber }
  /** The sender does not have (or no longer has) what was asked for. */
  | { t: 'gone'; source: SourceNumber }

/** What a process has cost. */
export interface ProcessFacts {
  pid: number
  uptimeMs: number
  rssBytes: number
  /** Since its start. */
  cpuMs: number
  /** Of one core, over the last seconds: 1 is a whole core. */
  cpuShare: number
  /** Share of the last seconds in which the event loop was busy, 0 to 1. */
  eventLoopUtilization: number
  /** The longest that a timer was late in the last seconds, in milliseconds. */
  eventLoopDelayMs: number
}

/** What every process tells of itself. Counters count since its start. */
export interface WorkerStatus extends ProcessFacts {
  role: WorkerRole | 'master'
  index: number
  connections: number
  streams: StreamStatus[]
  /** In an HTTP worker, if a virtual host has the HLS of other servers. */
  hlsEdge?: HlsEdgeFacts
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
  /** In a back-source, if programs run for the stream. */
  programs?: ProgramFacts[]
  /** In a back-source, if the stream is recorded. */
  dvr?: DvrStatus
  /** In a back-source, if the stream is forwarded. */
  forwards?: ForwardStatus[]
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

/** A list is given in pages of this size at most: there may be thousands. */
export const maxPageSize = 1000

/** What a process can be asked, for the API and for `weir ctl`. */
export type Question =
  | { ask: 'status' }
  /** What the system has counted of the process. */
  | { ask: 'usage' }
  // to workers with clients
  /**
   * Publishers and players from number `start` on, in the order of their arrival, of those that all words of
   * `search` are found in (lower case; '' for all); `count` 0 asks for the total.
   */
  | { ask: 'clients'; start: number; count: number; search: string }
  | { ask: 'client'; id: string }
  /** Close the client's connection. */
  | { ask: 'kick'; id: string }
  /** Null: of all streams that there is somebody of, up to {@link maxPageSize}. */
  | { ask: 'audience'; streams: StreamId[] | null }
  | { ask: 'traffic' }
  /** Programs of others that run for streams, or bring them, {@link maxPageSize} at most: to back-sources and the master. */
  | { ask: 'programs' }
  // to all workers
  | { ask: 'hooks' }
  // to back-sources
  | { ask: 'streams'; start: number; count: number }
  /** By its {@link streamTag}. */
  | { ask: 'stream'; tag: string }
  // to the master alone
  /** Take the stream from its publisher. */
  | { ask: 'unpublish'; tag: string }
  | { ask: 'reload' }
  /** Its nodes, and a page of its streams. */
  | { ask: 'cluster'; start: number; count: number }

/** `of` says which question it answers; `client` and `stream` are answered as the lists are, with one or none. */
export type Answer =
  | { of: 'status'; status: WorkerStatus }
  | { of: 'clients'; clients: EncodedList; total: number }
  | { of: 'kick'; kicked: boolean }
  | { of: 'audience'; audience: StreamAudience[] }
  | { of: 'traffic'; traffic: VhostTraffic[] }
  | { of: 'programs'; programs: ProgramFacts[] }
  | { of: 'streams'; streams: StreamInfo[]; total: number }
  | { of: 'hooks'; hooks: HookCount[] }
  | { of: 'usage'; usage: NodeJS.ResourceUsage }
  | { of: 'unpublish'; unpublished: boolean }
  | { of: 'reload'; outcome: ReloadOutcome }
  /** Null: this server works alone. */
  | { of: 'cluster'; cluster: ClusterStatus | null }

/** An {@link Answer} as it travels; see answer-codec.ts. */
export type EncodedAnswer = Uint8Array

/** One process's answer; null: it did not answer in time, or the question is none for it. */
export interface WorkerAnswer<A = Answer> {
  role: WorkerRole | 'master'
  index: number
  pid: number
  /** False: it starts, and cannot answer yet. */
  ready: boolean
  answer: A | null
}

/** What came of reading the configuration again. */
export type ReloadOutcome =
  /** It is in force. */
  | { applied: true; changes: ConfigDiff; warnings: string[]; atNextStart: string[] }
  /** It is not valid, or cannot be acted on: all is as it was. */
  | { applied: false; code: string; message: string }

/** What the master tells of the server. */
export interface ServerFacts {
  version: string
  serverId: string
  pid: number
  ppid: number
  /** The command that started it, and the directory that relative paths count from. */
  argv: string
  cwd: string
  uptimeMs: number
  configFile: string
  connections: number
  maxConnections: number
  /** Since the start; those that are counted in `connections`, and those that are gone. */
  admittedConnections: number
  /** Of these, those that ended with an error. */
  failedConnections: number
  refusedConnections: number
  sources: number
}

/** What came in of a stream, of all its publishers. */
export interface Received {
  recvBytes: number
  /** Video frames. */
  frames: number
}

/** What went out and came in, in kbit/s over the last 15 to 30 seconds. */
export interface ByteRates {
  sendKbps: number
  recvKbps: number
}

/** A client that publishes or plays. Strings that it did not send are ''. */
export interface ClientInfo extends ByteRates {
  /** Connection id, as in the log. */
  id: string
  vhost: string
  app: string
  stream: string
  ip: string
  /** Page that the player is in. */
  pageUrl: string
  swfUrl: string
  tcUrl: string
  /** As SRS has it: `fmle-publish`, `rtmp-play`, `flv-play`. */
  type: string
  /** `rtmp`, `http-flv`, `ws-flv`, `http-ts` … */
  protocol: string
  publish: boolean
  aliveSeconds: number
  sendBytes: number
  recvBytes: number
}

/** The server that a stream is pulled from. Ids are as that server tells them, '' if it does not. */
export interface UpstreamInfo {
  /** `rtmp://192.0.2.1:1935` */
  address: string
  /** What its log calls our connection. */
  connectionId: string
  serverId: string
  pid: string
}

/** A stream as its back-source knows it. */
export interface StreamInfo extends Received {
  source: SourceNumber
  stream: StreamId
  /** Connection id of the publisher; '' while there is none. */
  sourceId: string
  /** As the connection of the present or last publisher gave it; '' when that is not known. */
  tcUrl: string
  /** Since the publisher began, in milliseconds; 0 while there is none. */
  publishMs: number
  recvKbps: number
  video: VideoDescription | null
  audio: AudioDescription | null
  hls: HlsStatus | null
  dvr: DvrStatus | null
  forwards: ForwardStatus[]
  /** Null: it is not pulled, or nothing comes at the moment. */
  upstream: UpstreamInfo | null
  /** Null: its publisher is not passed on to another server. */
  push: PushStatus | null
}

/**
 * Who plays or publishes a stream in one process, and what went out to players. A worker that lets a stream go tells
 * the master what it had sent (`unwatch`), so that the sum over all answers never goes back while the stream lives.
 */
export interface StreamAudience {
  stream: StreamId
  publishers: number
  players: Protocols
  sendBytes: number
  sendKbps: number
}

/** How many players there are of each protocol: `rtmp`, `http-flv`, `ws-flv` … */
export type Protocols = Record<string, number>

/** The clients of a virtual host, and what they have sent and got since the process began. */
export interface VhostTraffic extends ByteRates {
  vhost: string
  publishers: number
  players: Protocols
  sendBytes: number
  recvBytes: number
  /** Of the master only: streams that have a back-source. */
  streams: number
}
