import { monotonicMs } from '../base/clock.ts'
import { messageOf, WeirError } from '../base/errors.ts'
import { newId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import { Outage } from '../base/outage.ts'
import { parseRedisUrl } from '../config/redis-url.ts'
import type { ClusterPage, NodeFacts, RegistryFacts } from '../ipc/cluster-facts.ts'
import { ClusterNodes } from './cluster-nodes.ts'
import type { StreamOwner } from './owner.ts'
import { OwnerReach, type Reach } from './owner-reach.ts'
import { RedisLink, type ScriptCall } from './redis-link.ts'
import type { ClusterSettings } from './settings.ts'
import { StreamPlaces } from './stream-places.ts'
import { claimed, isOverdue, takeWhenFree } from './take-when-free.ts'

type StreamId = string

export interface RegistryEvents {
  /** Another node keeps a stream that was taken here: its publisher has to go. */
  onLost(stream: StreamId, owner: StreamOwner): void
  /** A stream has a new owner, perhaps this node; null: any may have. */
  onBegan(stream: StreamId | null): void
}

/** A stream that this node has. */
interface Held {
  readonly token: string
  /** Since when, on this process's clock. */
  readonly sinceMs: number
  /** While Redis is asked for it the first time. */
  pending: Promise<StreamOwner | null> | null
}

/** How many leases are renewed with one write. */
const chunkSize = 500

/** How often Redis is tried again while it is away; a new connection is used at once. */
const retryMs = 1000

/** How long the end may wait for streams to be given back. */
const farewellMs = 1000

/**
 * Who owns which stream, written down in Redis. A stream is taken by one script, so that of many nodes one gets it, for the
 * time of a lease that is renewed three times before it ends. While Redis is away streams that run go on and new ones are
 * taken here; when it is back, all are written down again, and a stream that two nodes have is kept by one of them:
 *
 * - A node that had been in contact with Redis for a whole lease when it wrote a stream down (or renewed it) is its owner
 *   firmly, and keeps it: who comes later was away.
 * - Else (Redis was away for all, or has forgotten) the one that has had the stream for longer keeps it. Times are compared as
 *   ages, clocks of nodes may differ.
 * - What an earlier start of this server has left is this node's.
 */
export class RedisRegistry {
  readonly #settings: ClusterSettings
  readonly #bootId: string
  readonly #logger: Logger
  readonly #events: RegistryEvents
  readonly #reach: Reach
  readonly #link: RedisLink
  readonly #nodes: ClusterNodes
  readonly #leaseMs: number
  readonly #outage = new Outage()
  readonly #held = new Map<StreamId, Held>()
  /** Since when Redis has answered everything; null: it does not. */
  #contactSinceMs: number | null = null
  /** Until it is known whether Redis answers: for the time of one answer at most. */
  readonly #opening = Promise.withResolvers<void>()
  #timer: NodeJS.Timeout | null = null
  #round: Promise<void> | null = null
  #closed = false
  /** Hears of new owners. */
  #listening = false
  readonly #places = new StreamPlaces((stream) => this.#ownerOf(stream))
  #outages = 0
  #acceptedAlone = 0
  #lost = 0

  /** @param bootId tells one start of a server from another */
  constructor(
    settings: ClusterSettings,
    bootId: string,
    logger: Logger,
    events: RegistryEvents,
    reach: Reach = new OwnerReach(),
  ) {
    const place = parseRedisUrl(settings.redis)
    if (place === null) throw new WeirError('CONFIG_BAD_VALUE', 'cluster { redis } is no URL of Redis')
    this.#settings = settings
    this.#bootId = bootId
    this.#logger = logger
    this.#events = events
    this.#reach = reach
    this.#leaseMs = settings.lease * 1000
    this.#link = new RedisLink(
      place,
      settings.redisTimeout * 1000,
      `weir-${settings.node}`,
      [this.#channel],
      {
        onReady: () => this.#renewSoon(0),
        onMessage: (_, stream) => {
          this.#places.changed(stream)
          if (!this.#owns(stream)) events.onBegan(stream)
        },
        onDeaf: (error) => {
          if (this.#closed || !this.#link.isReady) return
          this.#logger.warn({ code: 'REDIS' }, `cluster: new owners are not heard of: ${messageOf(error)}`)
        },
        onListening: (isListening) => {
          this.#listening = isListening
          this.#lookAgain()
        },
      },
    )
    this.#nodes = new ClusterNodes(this.#link, settings, bootId, logger)
    this.#renewSoon(settings.redisTimeout * 1000)
  }

  /** Streams that this node has, and since when, on this process's clock. */
  get held(): ReadonlyMap<StreamId, number> {
    return new Map([...this.#held].map(([stream, { sinceMs }]) => [stream, sinceMs]))
  }

  /**
   * Takes a stream for this node; if the node that has it seems to be dead, when its lease ends. It never throws: if Redis
   * does not answer, the stream is taken here, and written down when it does.
   * @returns null when it is this node's from now on, else its owner
   */
  acquire(stream: StreamId): Promise<StreamOwner | null> {
    const known = this.#held.get(stream)
    if (known !== undefined) return known.pending ?? Promise.resolve(null)
    const held: Held = { token: newId(12), sinceMs: monotonicMs(), pending: null }
    this.#held.set(stream, held)
    held.pending = this.#take(stream, held).finally(() => {
      held.pending = null
    })
    return held.pending
  }

  /** Takes streams that this node has had for some time under other settings. */
  adopt(streams: ReadonlyMap<StreamId, number>): void {
    for (const [stream, sinceMs] of streams) {
      if (!this.#held.has(stream)) this.#held.set(stream, { token: newId(12), sinceMs, pending: null })
    }
    if (this.#link.isReady) this.#renewSoon(0)
  }

  /** @returns the other node that has the stream, while Redis is away: that had it last; null when none has */
  async locate(stream: StreamId): Promise<StreamOwner | null> {
    if (this.#owns(stream)) return null
    await this.#opening.promise
    if (this.#contactSinceMs === null) return this.#places.last(stream)
    // That an answer is late is no reason to call Redis away: the next renewal tells.
    return this.#places.find(stream).catch(() => this.#places.last(stream))
  }

  /** @returns the node because of which a publish would be refused now; null when it would be granted */
  async refusedFor(stream: StreamId): Promise<StreamOwner | null> {
    const owner = await this.locate(stream)
    if (owner === null || this.#contactSinceMs === null) return null
    try {
      const key = this.#key(stream)
      const [leftMs, [lease]] = await Promise.all([this.#link.leftMs(key), this.#link.fields(key, 'lease')])
      return isOverdue(leftMs, Number(lease)) || !(await this.#reach.reaches(owner)) ? null : owner
    } catch {
      return null
    }
  }

  /** Gives a stream back; one that this node does not have may be named too. */
  release(stream: StreamId): void {
    const held = this.#held.get(stream)
    if (held === undefined) return
    this.#held.delete(stream)
    // What cannot be told now ends with the lease.
    if (this.#contactSinceMs !== null) this.#giveBack(stream, held).catch((error) => this.#failed(error))
  }

  /** The name of this node. */
  get node(): string {
    return this.#settings.node
  }

  get facts(): RegistryFacts {
    return {
      connected: this.#contactSinceMs !== null,
      held: this.#held.size,
      outages: this.#outages,
      acceptedAlone: this.#acceptedAlone,
      lost: this.#lost,
    }
  }

  /** @throws WeirError REDIS */
  nodes(): Promise<NodeFacts[]> {
    return this.#nodes.list()
  }

  /**
   * A page of the cluster's streams. It is of one moment: in the list they change places when their leases are renewed.
   * @throws WeirError REDIS
   */
  async page(start: number, count: number): Promise<ClusterPage> {
    const answer = await this.#link.read('page', [this.#listKey, start, count])
    const [total, ...streams] = answer as [number, ...string[]]
    const owners = await Promise.all(
      streams.map((stream) => this.#link.fields(this.#key(stream), 'node', 'rtmp')),
    )
    const found = streams.map((stream, i) => ({
      stream,
      node: owners[i]?.[0] ?? '',
      rtmp: owners[i]?.[1] ?? '',
    }))
    return { total, streams: found.filter(({ node }) => node !== '') }
  }

  /** Gives everything back, for a second at most, and ends. */
  async close(): Promise<void> {
    this.#closed = true
    this.#opening.resolve()
    if (this.#timer !== null) clearTimeout(this.#timer)
    if (this.#contactSinceMs !== null) {
      const timeUp = new Promise((resolve) => setTimeout(resolve, farewellMs).unref())
      await Promise.race([this.#farewell().catch(() => {}), timeUp])
    }
    this.#held.clear()
    this.#link.close()
  }

  async #farewell(): Promise<void> {
    await this.#round
    const releases = [...this.#held].map(([stream, { token }]): ScriptCall => [this.#key(stream), token])
    for (let from = 0; from < releases.length; from += chunkSize) {
      await this.#link.runAll('release', releases.slice(from, from + chunkSize))
    }
    await this.#nodes.leave()
  }

  async #take(stream: StreamId, held: Held): Promise<StreamOwner | null> {
    await this.#opening.promise
    if (!this.#link.isReady) {
      this.#acceptedAlone += 1
      return null
    }
    try {
      const owner = await takeWhenFree({
        claim: async () => claimed(await this.#link.run('claim', this.#claim(stream, held.token, 0))),
        isWanted: () => !this.#closed,
        reaches: (other) => this.#reach.reaches(other),
      })
      if (owner !== null) {
        if (this.#held.get(stream) === held) this.#held.delete(stream)
        return owner
      }
      this.#list([stream]).catch((error: unknown) => this.#failed(error))
      return null
    } catch (error) {
      this.#failed(error)
      this.#acceptedAlone += 1
      return null
    }
  }

  async #giveBack(stream: StreamId, { token }: Held): Promise<void> {
    await this.#link.run('release', [this.#key(stream), token])
    if (!this.#held.has(stream)) await this.#link.unlist(this.#listKey, stream)
  }

  #renewSoon(delayMs: number): void {
    if (this.#closed) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#round ??= this.#renewAll().finally(() => {
        this.#round = null
        this.#renewSoon(this.#contactSinceMs === null ? retryMs : this.#leaseMs / 3)
      })
    }, delayMs)
  }

  /** Renews all leases, those that Redis has forgotten or not heard of too. */
  async #renewAll(): Promise<void> {
    try {
      await this.#nodes.announce(this.#held.size)
      this.#contact()
      const streams = [...this.#held.keys()]
      for (let from = 0; from < streams.length && !this.#closed; from += chunkSize) {
        await this.#renew(streams.slice(from, from + chunkSize))
      }
    } catch (error) {
      this.#failed(error)
    }
  }

  async #renew(streams: readonly StreamId[]): Promise<void> {
    const asked = streams.flatMap((stream) => {
      const held = this.#held.get(stream)
      return held === undefined || held.pending !== null ? [] : [{ stream, held }]
    })
    if (asked.length === 0) return
    const answers = await this.#link.runAll(
      'claim',
      asked.map(({ stream, held }) => this.#claim(stream, held.token, monotonicMs() - held.sinceMs)),
    )
    const kept: StreamId[] = []
    for (const [i, { stream, held }] of asked.entries()) {
      const { owner } = claimed(answers[i])
      const isCurrent = this.#held.get(stream) === held
      if (owner !== null && isCurrent) this.#lose(stream, owner)
      else if (isCurrent) kept.push(stream)
    }
    if (kept.length > 0) await this.#list(kept)
  }

  #lose(stream: StreamId, owner: StreamOwner): void {
    this.#held.delete(stream)
    this.#lost += 1
    this.#events.onLost(stream, owner)
  }

  async #list(streams: readonly StreamId[]): Promise<void> {
    await this.#link.run('list', [this.#listKey, this.#leaseMs, ...streams])
  }

  /** @param ageMs since when the stream is here; 0 for one that is to be taken: so it is never older than another node's */
  #claim(stream: StreamId, token: string, ageMs: number): ScriptCall {
    const { node, advertise, advertiseHttp } = this.#settings
    const now = monotonicMs()
    const isFirm = this.#contactSinceMs !== null && now - this.#contactSinceMs >= this.#leaseMs
    return [
      this.#key(stream),
      token,
      this.#bootId,
      Math.round(now),
      this.#leaseMs,
      Math.round(ageMs),
      isFirm ? 1 : 0,
      node,
      advertise,
      advertiseHttp,
      this.#channel,
      stream,
    ]
  }

  #contact(): void {
    const isNew = this.#contactSinceMs === null
    this.#contactSinceMs ??= monotonicMs()
    this.#opening.resolve()
    if (isNew) this.#lookAgain()
    const failures = this.#outage.end()
    if (failures === 0) return
    this.#logger.info({ failures, streams: this.#held.size }, 'cluster: Redis answers again')
  }

  /** Redis answers, and from now on tells of new owners: what began before has to be asked for. */
  #lookAgain(): void {
    if (!this.#listening || this.#contactSinceMs === null || this.#closed) return
    this.#places.changed(null)
    this.#events.onBegan(null)
  }

  /** Whether this node has a stream, and is not only asking for it. */
  #owns(stream: StreamId): boolean {
    return this.#held.get(stream)?.pending === null
  }

  /** The node that has a stream; null: none, or this one. */
  async #ownerOf(stream: StreamId): Promise<StreamOwner | null> {
    const [node, rtmp, http] = await this.#link.fields(this.#key(stream), 'node', 'rtmp', 'http')
    return node && rtmp && node !== this.#settings.node ? { node, rtmp, http: http ?? '' } : null
  }

  #failed(error: unknown): void {
    this.#opening.resolve()
    if (this.#closed) return
    if (this.#contactSinceMs !== null || this.#outage.failures === 0) this.#outages += 1
    this.#contactSinceMs = null
    if (this.#round === null) this.#renewSoon(retryMs)
    if (!this.#outage.fail(monotonicMs())) return
    this.#logger.warn(
      { code: 'REDIS', streams: this.#held.size },
      `cluster: Redis is away, streams go on and new ones are taken here: ${messageOf(error)}`,
    )
  }

  #key(stream: StreamId): string {
    return `${this.#settings.prefix}:stream:${stream}`
  }

  get #listKey(): string {
    return `${this.#settings.prefix}:streams`
  }

  get #channel(): string {
    return `${this.#settings.prefix}:began`
  }
}
