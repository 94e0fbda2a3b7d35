import { type ErrorCode, messageOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Config } from '../config/config.ts'
import { vhostNameOf, vhostOf } from '../config/vhost-of.ts'
import type { PublisherRef, PublishId, SourceNumber, StreamId, ToMaster } from '../ipc/contract.ts'
import { displayName, vhostOfStream } from '../live/stream-key.ts'
import type { BackSource } from './back-source-pool.ts'
import { HlsDisposal } from './hls-disposal.ts'
import type { StreamRegistry } from './registry.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** What the table needs of the pool of back-sources. */
export interface SourceHosts {
  acquire(): BackSource
  release(backSource: BackSource): void
}

/** Who publishes a stream. */
interface PublisherEntry {
  readonly worker: WorkerHandle
  readonly publishId: PublishId
  readonly connectionId: string
  readonly ip: string
}

/** A stream with a back-source; it outlives its publisher by the linger time. */
interface SourceEntry {
  readonly stream: StreamId
  readonly number: SourceNumber
  publisher: PublisherEntry | null
  /** Connection id of the last publisher. */
  sourceId: string
  host: BackSource
  /** The back-source has it and can be pulled from. */
  open: boolean
  /** Runs while the source waits for another publisher. */
  lingerTimer: NodeJS.Timeout | null
  /** Runs while the source, its process lost, waits for another one. */
  moveTimer: NodeJS.Timeout | null
}

/** How long after a broken connection its publisher is attached again, in milliseconds. */
const reattachMs = 200

type PublishMessage = Extract<ToMaster, { t: 'publish' }>

/** A publish that the registry has not decided yet. */
interface Wish {
  readonly worker: WorkerHandle
  readonly publishId: PublishId
  readonly stream: StreamId
}

/**
 * The master's table of streams: which back-source has which stream, who publishes it, which workers want it.
 * It decides who may publish, and mends what a process that died tore apart.
 */
export class SourceTable {
  readonly #hosts: SourceHosts
  readonly #registry: StreamRegistry
  readonly #logger: Logger
  readonly #sources = new Map<StreamId, SourceEntry>()
  /** Workers with players of a stream, whether it is live or not. */
  readonly #watchers = new Map<StreamId, Set<WorkerHandle>>()
  readonly #wishes = new Set<Wish>()
  readonly #disposal = new HlsDisposal((stream) => this.#dispose(stream))
  #config: Config
  #nextNumber = 1

  constructor(config: Config, hosts: SourceHosts, registry: StreamRegistry, logger: Logger) {
    this.#config = config
    this.#hosts = hosts
    this.#registry = registry
    this.#logger = logger
  }

  get size(): number {
    return this.#sources.size
  }

  /** Applies a new configuration: publishers of vhosts that are gone lose their streams. */
  set config(config: Config) {
    this.#config = config
    for (const entry of [...this.#sources.values()]) {
      const name = vhostOfStream(entry.stream)
      if (vhostNameOf(config, name) === name) continue
      this.#revoke(entry, 'VHOST_UNKNOWN', `vhost ${name} was removed`)
      this.#closeSource(entry)
    }
  }

  /** Decides about a publish and answers its worker, unless the publish is given up meanwhile. */
  async publish(worker: WorkerHandle, message: PublishMessage): Promise<void> {
    const { publishId, stream } = message
    const wish: Wish = { worker, publishId, stream }
    this.#wishes.add(wish)
    let owner: string | null
    try {
      owner = await this.#registry.acquire(stream)
    } catch (error) {
      if (this.#wishes.delete(wish)) this.#refuse(worker, publishId, 'SOURCE_UNAVAILABLE', messageOf(error))
      return
    }
    const isWanted = this.#wishes.delete(wish)
    if (owner === null) {
      if (isWanted) this.#publishHere(worker, message)
      this.#releaseIfUnused(stream)
    } else if (isWanted) this.#refuse(worker, publishId, 'STREAM_BUSY', `published at ${owner}`)
  }

  unpublish(worker: WorkerHandle, publishId: PublishId, stream: StreamId): void {
    for (const wish of this.#wishes) {
      if (wish.worker === worker && wish.publishId === publishId) this.#wishes.delete(wish)
    }
    const entry = this.#sources.get(stream)
    if (entry?.publisher?.worker !== worker || entry.publisher.publishId !== publishId) return
    this.#linger(entry)
  }

  watch(worker: WorkerHandle, stream: StreamId): void {
    let watchers = this.#watchers.get(stream)
    if (watchers === undefined) {
      watchers = new Set()
      this.#watchers.set(stream, watchers)
    }
    watchers.add(worker)
    const entry = this.#sources.get(stream)
    if (entry?.open) this.#announce(entry, worker)
  }

  unwatch(worker: WorkerHandle, stream: StreamId): void {
    const watchers = this.#watchers.get(stream)
    watchers?.delete(worker)
    if (watchers?.size === 0) this.#watchers.delete(stream)
  }

  /** A back-source has taken a stream: who wants it may pull. */
  opened(backSource: BackSource, number: SourceNumber): void {
    for (const entry of this.#sources.values()) {
      if (entry.number !== number || entry.host !== backSource || entry.open) continue
      entry.open = true
      for (const worker of this.#watchers.get(entry.stream) ?? []) this.#announce(entry, worker)
    }
  }

  /**
   * A back-source lost the connection to a publisher's stream worker. When that worker died, the word of it comes
   * in a moment; when only the connection broke, the publisher is attached again.
   */
  detached(backSource: BackSource, number: SourceNumber): void {
    const isIt = (entry: SourceEntry): boolean => entry.number === number && entry.host === backSource
    const entry = [...this.#sources.values()].find(isIt)
    const publisher = entry?.publisher ?? null
    if (entry === undefined || publisher === null) return
    setTimeout(() => {
      const isSame = this.#sources.get(entry.stream) === entry && entry.publisher === publisher && isIt(entry)
      if (isSame && !publisher.worker.exited) this.#open(entry)
    }, reattachMs)
  }

  /** A back-source cannot take a stream as its vhost wants it. */
  disconnect(backSource: BackSource, number: SourceNumber, code: ErrorCode, message: string): void {
    for (const entry of this.#sources.values()) {
      if (entry.number !== number || entry.host !== backSource || entry.publisher === null) continue
      this.#revoke(entry, code, message)
      this.#linger(entry)
    }
  }

  /** A stream worker is gone, with its publishers and players. */
  onWorkerLost(worker: WorkerHandle): void {
    for (const wish of this.#wishes) if (wish.worker === worker) this.#wishes.delete(wish)
    for (const stream of [...this.#watchers.keys()]) this.unwatch(worker, stream)
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
      if (entry.publisher === null) this.#removeSource(entry)
      else if (waitMs === 0) this.#move(entry, backSource)
      else entry.moveTimer = setTimeout(() => this.#move(entry, backSource), waitMs)
    }
  }

  /** No further source is closed or moved by its timer; for the end of the server. */
  close(): void {
    for (const entry of this.#sources.values()) stopTimers(entry)
    this.#disposal.close()
  }

  #publishHere(worker: WorkerHandle, message: PublishMessage): void {
    const { publishId, stream, ip, connectionId } = message
    const vhost = vhostOf(this.#config, vhostOfStream(stream))
    if (vhost === null) {
      this.#refuse(worker, publishId, 'VHOST_UNKNOWN', `no vhost ${vhostOfStream(stream)}`)
      return
    }
    let entry = this.#sources.get(stream)
    const current = entry?.publisher ?? null
    if (entry !== undefined && current !== null) {
      const { policy } = vhost.publish
      const mayReplace = policy === 'replace' || (policy === 'resume' && current.ip === ip)
      if (!mayReplace) {
        const who = `connection ${current.connectionId} from ${current.ip}`
        this.#refuse(worker, publishId, 'STREAM_BUSY', `${displayName(stream)} is published by ${who}`)
        return
      }
      this.#revoke(entry, 'STREAM_REPLACED', `replaced by connection ${connectionId} from ${ip}`)
    }
    if (entry === undefined) {
      if (this.#sources.size >= this.#config.maxSources) {
        this.#refuse(worker, publishId, 'SOURCE_LIMIT', `max_sources ${this.#config.maxSources} is reached`)
        return
      }
      entry = this.#addSource(stream, connectionId)
    }
    if (entry.lingerTimer !== null) clearTimeout(entry.lingerTimer)
    entry.lingerTimer = null
    this.#disposal.onPublish(stream)
    entry.publisher = { worker, publishId, connectionId, ip }
    entry.sourceId = connectionId
    worker.send({ t: 'publish-answer', publishId, ok: true, source: entry.number })
    this.#open(entry)
  }

  #addSource(stream: StreamId, sourceId: string): SourceEntry {
    const entry: SourceEntry = {
      stream,
      number: this.#nextNumber,
      publisher: null,
      sourceId,
      host: this.#hosts.acquire(),
      open: false,
      lingerTimer: null,
      moveTimer: null,
    }
    this.#nextNumber += 1
    this.#sources.set(stream, entry)
    return entry
  }

  #open(entry: SourceEntry): void {
    const { publisher } = entry
    const ref: PublisherRef | null = publisher && {
      path: publisher.worker.socketPath,
      publishId: publisher.publishId,
      connectionId: publisher.connectionId,
    }
    entry.host.worker.send({ t: 'open', stream: entry.stream, source: entry.number, publisher: ref })
  }

  /** Opens a source in another process; one whose publisher has left meanwhile is given up. */
  #move(entry: SourceEntry, from: BackSource): void {
    if (this.#sources.get(entry.stream) !== entry || entry.host !== from) return
    if (entry.publisher === null) {
      this.#removeSource(entry)
      return
    }
    this.#logger.info({ stream: displayName(entry.stream) }, 'source: moves to another back-source')
    entry.host = this.#hosts.acquire()
    this.#open(entry)
  }

  #announce(entry: SourceEntry, worker: WorkerHandle): void {
    const { stream, number, sourceId } = entry
    worker.send({ t: 'source-up', stream, source: number, path: entry.host.worker.socketPath, sourceId })
  }

  #tellDown(entry: SourceEntry): void {
    if (!entry.open) return
    entry.open = false
    for (const worker of this.#watchers.get(entry.stream) ?? []) {
      worker.send({ t: 'source-down', stream: entry.stream, source: entry.number })
    }
  }

  #revoke(entry: SourceEntry, code: ErrorCode, message: string): void {
    if (entry.publisher === null) return
    const { worker, publishId } = entry.publisher
    worker.send({ t: 'publish-revoked', publishId, code, message })
    entry.publisher = null
  }

  #refuse(worker: WorkerHandle, publishId: PublishId, code: ErrorCode, message: string): void {
    worker.send({ t: 'publish-answer', publishId, ok: false, code, message })
  }

  /** The publisher left: the source waits for it, or another, for `source_linger`. */
  #linger(entry: SourceEntry): void {
    entry.publisher = null
    if (entry.lingerTimer !== null) clearTimeout(entry.lingerTimer)
    entry.lingerTimer = setTimeout(() => this.#closeSource(entry), this.#config.sourceLinger * 1000)
    const hls = vhostOf(this.#config, vhostOfStream(entry.stream))?.hls
    this.#disposal.onPublisherLeft(entry.stream, hls?.enabled ? hls.hlsDispose : 0)
  }

  /** Has the files of a stream deleted: by its back-source, or by any other, which may end then. */
  #dispose(stream: StreamId): void {
    const entry = this.#sources.get(stream)
    const host = entry?.host ?? this.#hosts.acquire()
    host.worker.send({ t: 'dispose', stream })
    if (entry === undefined) this.#hosts.release(host)
  }

  #closeSource(entry: SourceEntry): void {
    this.#tellDown(entry)
    entry.host.worker.send({ t: 'close', source: entry.number })
    this.#hosts.release(entry.host)
    this.#removeSource(entry)
    this.#logger.info({ stream: displayName(entry.stream) }, 'source: closed')
  }

  #removeSource(entry: SourceEntry): void {
    stopTimers(entry)
    this.#sources.delete(entry.stream)
    this.#releaseIfUnused(entry.stream)
  }

  /** Gives a stream back to the registry when nobody publishes it here, nor is about to. */
  #releaseIfUnused(stream: StreamId): void {
    if (this.#sources.has(stream)) return
    for (const wish of this.#wishes) if (wish.stream === stream) return
    this.#registry.release(stream)
  }
}

function stopTimers({ lingerTimer, moveTimer }: SourceEntry): void {
  if (lingerTimer !== null) clearTimeout(lingerTimer)
  if (moveTimer !== null) clearTimeout(moveTimer)
}
