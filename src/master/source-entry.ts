import type { ErrorCode } from '../base/errors.ts'
import type { StreamOwner } from '../cluster/owner.ts'
import type { PublisherRef, PublishId, Received, SourceNumber, StreamId, ToMaster } from '../ipc/contract.ts'
import type { BackSource } from './back-source-pool.ts'
import type { WorkerHandle } from './worker-handle.ts'

export type PublishMessage = Extract<ToMaster, { t: 'publish' }>

/** What the table of streams needs of the pool of back-sources. */
export interface SourceHosts {
  acquire(): BackSource
  release(backSource: BackSource): void
}

/** A publish that is not decided yet: the registry was asked, or the worker of who holds the stream. */
export interface Wish {
  readonly worker: WorkerHandle
  readonly message: PublishMessage
  /** Where it is passed on to, once that is known. */
  push: readonly string[] | null
}

/** Who publishes a stream. */
export interface PublisherEntry {
  readonly worker: WorkerHandle
  readonly publishId: PublishId
  readonly connectionId: string
  readonly ip: string
  readonly param: string
  /** Where the stream was forwarded from. */
  readonly route: readonly string[]
  /** Servers that it is passed on to; null: none. */
  push: readonly string[] | null
  /** A back-source has attached it, so that it may send. */
  granted: boolean
}

/** Those who want a stream whose publisher may be gone, in the order in which they came. */
export interface Contest {
  readonly wishes: Wish[]
  /** The answer of the publisher's worker is wanted no more. */
  readonly cancel: () => void
}

/** A stream with a back-source; it outlives its publisher by the linger time. */
export interface SourceEntry {
  readonly stream: StreamId
  readonly number: SourceNumber
  publisher: PublisherEntry | null
  /** Servers that it is pulled from while nobody publishes it; null: it is not. */
  pull: readonly string[] | null
  /** While the worker of {@link publisher} is asked whether that one is still there. */
  contest: Contest | null
  /** Connection id of the last publisher. */
  sourceId: string
  host: BackSource
  /** What workers that let the stream go had sent of it. */
  sentBytes: number
  /** What the back-sources that had it have told of what came in. */
  received: Received | null
  /** The back-source has it and can be pulled from; one that pulls it itself has got media. */
  open: boolean
  /** Runs while the source waits for another publisher, or, if it is pulled, for somebody who wants it. */
  lingerTimer: NodeJS.Timeout | null
  /** Runs while the source, its process lost, waits for another one. */
  moveTimer: NodeJS.Timeout | null
}

/** A source that nobody publishes yet. */
export function newEntry(
  stream: StreamId,
  number: SourceNumber,
  sourceId: string,
  host: BackSource,
): SourceEntry {
  return {
    ...{ stream, number, sourceId, host, publisher: null, pull: null, contest: null },
    ...{ sentBytes: 0, received: null, open: false, lingerTimer: null, moveTimer: null },
  }
}

/** Nothing happens to the source by itself any more. */
export function stopTimers({ lingerTimer, moveTimer, contest }: SourceEntry): void {
  if (lingerTimer !== null) clearTimeout(lingerTimer)
  if (moveTimer !== null) clearTimeout(moveTimer)
  contest?.cancel()
}

/** The source waits for nobody, or somebody has come. */
export function stopLingering(entry: SourceEntry): void {
  if (entry.lingerTimer !== null) clearTimeout(entry.lingerTimer)
  entry.lingerTimer = null
}

/** Whether there is somebody that its media comes from. */
export function hasOrigin({ publisher, pull }: SourceEntry): boolean {
  return publisher !== null || pull !== null
}

/**
 * Has the back-source of a source take it from its publisher, or else from the servers that it is pulled from.
 * @param route servers that have a pulled stream from here
 */
export function open(entry: SourceEntry, route: readonly string[] = []): void {
  const { stream, number: source, host, publisher, pull, received } = entry
  const ref: PublisherRef | null = publisher && {
    path: publisher.worker.socketPath,
    publishId: publisher.publishId,
    connectionId: publisher.connectionId,
    ip: publisher.ip,
    param: publisher.param,
    route: publisher.route,
    granted: publisher.granted,
  }
  const push = publisher?.push ?? null
  const routed = pull !== null && route.length > 0 ? { route } : {}
  const counted = received === null ? {} : { received }
  host.worker.send({ t: 'open', stream, source, publisher: ref, pull, push, ...routed, ...counted })
}

/** Takes a source from its publisher, if it has one. */
export function revoke(entry: SourceEntry, code: ErrorCode, message: string): void {
  if (entry.publisher === null) return
  const { worker, publishId } = entry.publisher
  worker.send({ t: 'publish-revoked', publishId, code, message })
  entry.publisher = null
}

export function refuse(worker: WorkerHandle, publishId: PublishId, code: ErrorCode, message: string): void {
  worker.send({ t: 'publish-answer', publishId, ok: false, code, message })
}

/**
 * Refuses a publish of a stream that another node has.
 * @param redirects whether the encoder is sent there
 */
export function refuseFor(owner: StreamOwner, { worker, message }: Wish, redirects: boolean): void {
  const { publishId } = message
  const about = { code: 'STREAM_ELSEWHERE', message: `published at node ${owner.node}` }
  const redirect = redirects ? { redirect: owner.rtmp } : {}
  worker.send({ t: 'publish-answer', publishId, ok: false, ...about, ...redirect })
}
