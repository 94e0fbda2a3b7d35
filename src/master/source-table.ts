import { type ErrorCode, messageOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { StreamOwner } from '../cluster/owner.ts'
import type { Config } from '../config/config.ts'
import { vhostNameOf } from '../config/vhost-of.ts'
import type { PublishId, SourceNumber, StreamId } from '../ipc/contract.ts'
import { displayName, streamTag, vhostOfStream } from '../live/stream-key.ts'
import type { BackSource } from './back-source-pool.ts'
import { Contests } from './contests.ts'
import { HlsDisposal } from './hls-disposal.ts'
import { holderAgainst, refusalOf } from './publish-rules.ts'
import { Pulls, type PullTable } from './pulls.ts'
import { type PushTable, renewPushes } from './pushes.ts'
import type { StreamRegistry } from './registry.ts'
import {
  hasOrigin,
  newEntry,
  open,
  type PublishMessage,
  refuse,
  refuseFor,
  revoke,
  type SourceEntry,
  type SourceHosts,
  stopLingering,
  stopTimers,
  type Wish,
} from './source-entry.ts'
import type { Upstreams } from './upstreams.ts'
import { Watchers } from './watchers.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** How long after a broken connection its publisher is attached again, in milliseconds. */
const reattachMs = 200

/**
 * The master's table of streams: which back-source has which stream, who publishes it, which workers want it.
 * It decides who may publish, and mends what a process that died tore apart.
 */
export class SourceTable implements PullTable, PushTable {
  readonly #hosts: SourceHosts
  readonly #registry: StreamRegistry
  readonly #upstreams: Upstreams
  readonly #logger: Logger
  readonly #sources = new Map<StreamId, SourceEntry>()
  readonly watchers = new Watchers()
  readonly #pulls: Pulls
  readonly #wishes = new Set<Wish>()
  readonly #contests: Contests
  readonly #disposal = new HlsDisposal((stream) => this.#dispose(stream))
  #config: Config
  #nextNumber = 1

  constructor(
    config: Config,
    hosts: SourceHosts,
    registry: StreamRegistry,
    upstreams: Upstreams,
    logger: Logger,
  ) {
    this.#config = config
    this.#hosts = hosts
    this.#registry = registry
    this.#upstreams = upstreams
    this.#logger = logger
    const onTurn = (wish: Wish): void => {
      if (this.#wishes.has(wish)) this.#decide(wish, false)
    }
    this.#contests = new Contests({ onHolderGone: (entry) => this.#linger(entry), onTurn }, logger)
    this.#pulls = new Pulls(upstreams, this.watchers, this, logger)
  }

  get size(): number {
    return this.#sources.size
  }

  get sources(): ReadonlyMap<StreamId, SourceEntry> {
    return this.#sources
  }

  get config(): Config {
    return this.#config
  }

  /** Applies a new configuration: publishers of vhosts that are gone lose their streams. */
  set config(config: Config) {
    this.#config = config
    for (const entry of [...this.#sources.values()]) {
      const name = vhostOfStream(entry.stream)
      if (vhostNameOf(config, name) === name) continue
      revoke(entry, 'VHOST_UNKNOWN', `vhost ${name} was removed`)
      this.closeSource(entry)
      this.#contests.end(entry)
    }
    this.#pulls.reload()
    void renewPushes(this, this.#upstreams, this.#logger)
  }

  /** Decides about a publish and answers its worker, now or later, unless the publish is given up meanwhile. */
  async publish(worker: WorkerHandle, message: PublishMessage): Promise<void> {
    const { publishId, stream } = message
    const wish: Wish = { worker, message, push: null }
    this.#wishes.add(wish)
    let owner: StreamOwner | null
    try {
      owner = await (message.probe ? this.#registry.refusedFor(stream) : this.#registry.acquire(stream))
      if (owner === null) wish.push = await this.#upstreams.pushFor(stream)
    } catch (error) {
      if (this.#wishes.delete(wish)) refuse(worker, publishId, 'SOURCE_UNAVAILABLE', messageOf(error))
      this.#releaseIfUnused(stream)
      return
    }
    const isWanted = this.#wishes.has(wish)
    if (owner === null) {
      if (isWanted) this.#decide(wish)
      else this.#releaseIfUnused(stream)
    } else if (this.#wishes.delete(wish)) {
      refuseFor(owner, wish, this.#config.cluster.redirect)
    }
  }

  /** A worker has answered whether a publish is still alive. */
  checked(worker: WorkerHandle, request: number, alive: boolean): void {
    this.#contests.answered(worker, request, alive)
  }

  unpublish(worker: WorkerHandle, publishId: PublishId, stream: StreamId): void {
    for (const wish of this.#wishes) {
      if (wish.worker === worker && wish.message.publishId === publishId) this.#wishes.delete(wish)
    }
    const entry = this.#sources.get(stream)
    if (entry?.publisher?.worker !== worker || entry.publisher.publishId !== publishId) return
    this.#linger(entry)
  }

  /** A worker wants a stream: it hears where it is, or that nobody publishes it, and of every change. */
  watch(worker: WorkerHandle, stream: StreamId, route: readonly string[] = []): void {
    this.watchers.add(worker, stream, route)
    const entry = this.#sources.get(stream)
    if (entry === undefined) this.#pulls.want(stream)
    else this.#pulls.keep(entry)
    if (entry?.open) this.watchers.tellUp(entry, worker)
  }

  /** @param sentBytes what the worker has sent of the stream */
  unwatch(worker: WorkerHandle, stream: StreamId, sentBytes: number): void {
    const entry = this.#sources.get(stream)
    if (entry !== undefined) entry.sentBytes += sentBytes
    if (this.watchers.remove(worker, stream) && entry !== undefined) this.#pulls.letGo(entry)
  }

  /** A back-source has taken a stream: who wants it may pull. */
  opened(backSource: BackSource, number: SourceNumber): void {
    const entry = this.#heldBy(backSource, number)
    if (entry === undefined) return
    if (entry.publisher !== null) entry.publisher.granted = true
    if (entry.open) return
    entry.open = true
    this.watchers.tellUp(entry)
  }

  /**
   * A back-source lost the connection to a publisher's stream worker. When that worker died, the word of it comes
   * in a moment; when only the connection broke, the publisher is attached again.
   */
  detached(backSource: BackSource, number: SourceNumber): void {
    const entry = this.#heldBy(backSource, number)
    const publisher = entry?.publisher ?? null
    if (entry === undefined || publisher === null) return
    setTimeout(() => {
      const isSame = this.#heldBy(backSource, number) === entry && entry.publisher === publisher
      if (isSame && !publisher.worker.exited) open(entry)
    }, reattachMs)
  }

  /** A back-source cannot take a stream as its vhost wants it. */
  disconnect(backSource: BackSource, number: SourceNumber, code: ErrorCode, message: string): void {
    const entry = this.#heldBy(backSource, number)
    if (entry !== undefined) this.#takeAway(entry, code, message)
  }

  endPush(entry: SourceEntry): void {
    this.#takeAway(entry, 'PUSH_LOST', 'no origin of this edge takes streams any more')
  }

  /** A back-source has pulled a stream in vain, or its pull is over. */
  pullEnded(backSource: BackSource, number: SourceNumber): void {
    const entry = this.#heldBy(backSource, number)
    if (entry?.publisher === null) this.#pulls.ended(entry)
  }

  /** Another node keeps a stream that is published here. */
  lose(stream: StreamId, owner: StreamOwner): void {
    const entry = this.#sources.get(stream)
    if (entry === undefined || entry.publisher === null) return
    revoke(entry, 'STREAM_ELSEWHERE', `node ${owner.node} has the stream`)
    this.#linger(entry)
  }

  /** Streams that are waited for, or pulled, may have another owner; null: all of them. */
  onOwnerChanged(stream: StreamId | null): void {
    this.#pulls.lookAgain(stream)
  }

  /**
   * Takes a stream from its publisher, whose connection is closed.
   * @returns false when nobody publishes a stream of that tag
   */
  unpublishByTag(tag: string): boolean {
    const isIt = ({ publisher, stream }: SourceEntry): boolean =>
      publisher !== null && streamTag(stream) === tag
    const entry = [...this.#sources.values()].find(isIt)
    if (entry === undefined) return false
    this.#takeAway(entry, 'CLIENT_KICKED', 'unpublished through the API')
    return true
  }

  /** A stream worker is gone, with its publishers and players. */
  onWorkerLost(worker: WorkerHandle): void {
    for (const wish of this.#wishes) if (wish.worker === worker) this.#wishes.delete(wish)
    for (const stream of this.watchers.streams) this.unwatch(worker, stream, 0)
    for (const entry of [...this.#sources.values()]) {
      if (entry.publisher?.worker === worker) this.#linger(entry)
    }
  }

  /**
   * A back-source is gone, or about to go: its streams move to others, and their publishers with them.
   * @param waitMs how long they have to wait for that
   */
  onBackSourceLost(backSource: BackSource, waitMs: number): void {
    for (const entry of [...this.#sources.values()]) {
      if (entry.host !== backSource) continue
      this.#tellDown(entry)
      if (!hasOrigin(entry)) this.#giveUp(entry)
      else if (waitMs === 0) this.#move(entry, backSource)
      else entry.moveTimer = setTimeout(() => this.#move(entry, backSource), waitMs)
    }
  }

  /** No further source is closed or moved by its timer; for the end of the server. */
  close(): void {
    for (const entry of this.#sources.values()) stopTimers(entry)
    this.#disposal.close()
    this.#pulls.close()
  }

  /** Has a stream pulled from other servers; false: there is no room for it. */
  pull(stream: StreamId, upstreams: readonly string[]): boolean {
    const known = this.#sources.get(stream)
    if (known === undefined && this.#sources.size >= this.#config.maxSources) {
      const about = { code: 'SOURCE_LIMIT', stream: displayName(stream) }
      this.#logger.warn(about, `a stream is not pulled: max_sources ${this.#config.maxSources} is reached`)
      return false
    }
    const entry = known ?? this.#addSource(stream, '')
    stopLingering(entry)
    this.#disposal.onPublish(stream)
    entry.pull = upstreams
    open(entry, this.watchers.routeOf(entry.stream))
    return true
  }

  #takeAway(entry: SourceEntry, code: ErrorCode, message: string): void {
    const { publisher } = entry
    if (publisher === null) return
    revoke(entry, code, message)
    // One that other servers refused keeps no place for its return.
    const hasNeverBegun = publisher.push !== null && !publisher.granted && !entry.open
    if (hasNeverBegun && !this.watchers.has(entry.stream)) {
      this.closeSource(entry)
      this.#contests.end(entry)
    } else this.#linger(entry)
  }

  #heldBy(backSource: BackSource, number: SourceNumber): SourceEntry | undefined {
    return [...this.#sources.values()].find((one) => one.number === number && one.host === backSource)
  }

  /** @param mayAsk whether the worker of who holds the stream may be asked first; else it was */
  #decide(wish: Wish, mayAsk = true): void {
    const { stream } = wish.message
    const entry = this.#sources.get(stream)
    const holder = entry === undefined ? null : holderAgainst(this.#config, entry, wish.message)
    const mustAsk = mayAsk && entry !== undefined && holder !== null
    if (mustAsk && this.#contests.join(wish, entry, holder)) return
    this.#wishes.delete(wish)
    this.#publishHere(wish)
    this.#releaseIfUnused(stream)
  }

  #publishHere(wish: Wish): void {
    const { worker, message, push } = wish
    const { publishId, stream, ip, connectionId, param, route = [] } = message
    const refusal = refusalOf(this.#config, this.#sources, wish)
    if (refusal !== null) {
      refuse(worker, publishId, refusal.code, refusal.message)
      return
    }
    if (message.probe) {
      worker.send({ t: 'publish-answer', publishId, ok: true, source: 0 })
      return
    }
    const entry = this.#sources.get(stream) ?? this.#addSource(stream, connectionId)
    revoke(entry, 'STREAM_REPLACED', `replaced by connection ${connectionId} from ${ip}`)
    stopLingering(entry)
    this.#disposal.onPublish(stream)
    entry.publisher = { worker, publishId, connectionId, ip, param, route, push, granted: false }
    entry.pull = null
    entry.sourceId = connectionId
    worker.send({ t: 'publish-answer', publishId, ok: true, source: entry.number })
    open(entry)
    this.#contests.end(entry)
  }

  #addSource(stream: StreamId, sourceId: string): SourceEntry {
    const entry = newEntry(stream, this.#nextNumber, sourceId, this.#hosts.acquire())
    this.#nextNumber += 1
    this.#sources.set(stream, entry)
    this.#logWhere(entry, 'source: opened')
    return entry
  }

  /** Opens a source in another process; one whose publisher has left meanwhile is given up. */
  #move(entry: SourceEntry, from: BackSource): void {
    if (this.#sources.get(entry.stream) !== entry || entry.host !== from) return
    if (!hasOrigin(entry)) {
      this.#giveUp(entry)
      return
    }
    entry.host = this.#hosts.acquire()
    this.#logWhere(entry, 'source: moves to another back-source')
    open(entry, this.watchers.routeOf(entry.stream))
  }

  #tellDown(entry: SourceEntry): void {
    if (entry.open) this.watchers.tellDown(entry)
    entry.open = false
  }

  /** The publisher left: the source waits for it, or another, for `source_linger`. */
  #linger(entry: SourceEntry): void {
    entry.publisher = null
    this.#releaseIfUnused(entry.stream)
    stopLingering(entry)
    entry.lingerTimer = setTimeout(() => this.closeSource(entry), this.#config.sourceLinger * 1000)
    this.#contests.end(entry)
    this.#disposal.onPublisherLeft(entry.stream, this.#config)
    // Somebody may publish it elsewhere.
    if (entry.publisher === null && this.watchers.has(entry.stream)) this.#pulls.want(entry.stream)
  }

  /** Has the files of a stream deleted: by its back-source, or by any other, which may end then. */
  #dispose(stream: StreamId): void {
    const entry = this.#sources.get(stream)
    const host = entry?.host ?? this.#hosts.acquire()
    host.worker.send({ t: 'dispose', stream })
    if (entry === undefined) this.#hosts.release(host)
  }

  closeSource(entry: SourceEntry): void {
    this.#tellDown(entry)
    if (entry.pull !== null) this.#disposal.onPublisherLeft(entry.stream, this.#config)
    entry.host.worker.send({ t: 'close', source: entry.number })
    this.#hosts.release(entry.host)
    this.#removeSource(entry)
    this.#logger.info({ stream: displayName(entry.stream) }, 'source: closed')
  }

  /** Its process is lost, and nobody publishes it. */
  #giveUp(entry: SourceEntry): void {
    this.#removeSource(entry)
    this.#logger.info({ stream: displayName(entry.stream) }, 'source: closed, its back-source is gone')
  }

  #logWhere({ stream, sourceId, host }: SourceEntry, msg: string): void {
    const { name, pid } = host.worker
    this.#logger.info({ stream: displayName(stream), sid: sourceId, worker: name, workerPid: pid }, msg)
  }

  #removeSource(entry: SourceEntry): void {
    stopTimers(entry)
    this.#sources.delete(entry.stream)
    this.#releaseIfUnused(entry.stream)
  }

  /** Gives a stream back to the registry when nobody publishes it here, nor is about to. */
  #releaseIfUnused(stream: StreamId): void {
    if (this.#sources.get(stream)?.publisher) return
    for (const wish of this.#wishes) if (wish.message.stream === stream) return
    this.#registry.release(stream)
  }
}
