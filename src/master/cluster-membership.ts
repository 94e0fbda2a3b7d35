import { isDeepStrictEqual } from 'node:util'
import { monotonicMs } from '../base/clock.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { StreamOwner } from '../cluster/owner.ts'
import type { RedisRegistry, RegistryEvents } from '../cluster/redis-registry.ts'
import type { ClusterSettings } from '../cluster/settings.ts'
import type { ClusterStatus } from '../ipc/cluster-facts.ts'
import type { StreamId } from '../ipc/contract.ts'
import { MemoryRegistry, type StreamRegistry } from './registry.ts'

/**
 * This server's place in a cluster, if the configuration gives it one: the registry of the source table, which a reload may
 * exchange while streams run. The streams of this node go along.
 */
export class ClusterMembership implements StreamRegistry {
  readonly #bootId: string
  readonly #logger: Logger
  readonly #events: RegistryEvents
  /** What this node owns, and since when on this process's clock: whatever the registry is. */
  readonly #owned = new Map<StreamId, number>()
  #settings: ClusterSettings | null = null
  #registry: StreamRegistry = new MemoryRegistry()
  #redis: RedisRegistry | null = null
  #applied: Promise<void> = Promise.resolve()
  #closed = false

  /** @param bootId tells one start of this server from another */
  constructor(bootId: string, logger: Logger, events: RegistryEvents) {
    this.#bootId = bootId
    this.#logger = logger
    this.#events = events
  }

  /**
   * What the API tells of the cluster; null: this server works alone.
   * @param start of the page of streams
   */
  async status(start: number, count: number): Promise<ClusterStatus | null> {
    const redis = this.#redis
    if (redis === null) return null
    // While Redis is away nothing is known of the other nodes.
    const [nodes, page] = await Promise.all([
      redis.nodes().catch(() => []),
      redis.page(start, count).catch(() => ({ total: 0, streams: [] })),
    ])
    return { ...redis.facts, node: redis.node, nodes, ...page }
  }

  /** Joins, changes or leaves the cluster as a configuration says; one call waits for those before it. */
  apply(settings: ClusterSettings): Promise<void> {
    this.#applied = this.#applied
      .then(() => this.#apply(settings))
      .catch((error: unknown) => {
        this.#logger.error({ code: codeOf(error) }, `cluster: it stays as it was: ${messageOf(error)}`)
      })
    return this.#applied
  }

  async acquire(stream: StreamId): Promise<StreamOwner | null> {
    const registry = this.#registry
    const owner = await registry.acquire(stream)
    if (registry !== this.#registry) return this.acquire(stream)
    if (owner === null && !this.#owned.has(stream)) this.#owned.set(stream, monotonicMs())
    return owner
  }

  locate(stream: StreamId): Promise<StreamOwner | null> {
    return this.#registry.locate(stream)
  }

  refusedFor(stream: StreamId): Promise<StreamOwner | null> {
    return this.#registry.refusedFor(stream)
  }

  release(stream: StreamId): void {
    this.#owned.delete(stream)
    this.#registry.release(stream)
  }

  /** Gives all streams back, for a second at most. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#applied
    await this.#redis?.close()
  }

  async #apply(settings: ClusterSettings): Promise<void> {
    if (this.#closed || isDeepStrictEqual(settings, this.#settings)) return
    const next = settings.registry === 'redis' ? await this.#open(settings) : null
    const last = this.#redis
    this.#settings = settings
    this.#redis = next
    this.#registry = next ?? new MemoryRegistry()
    // What the last one gives back, the next one has already, where both mean the same place.
    next?.adopt(this.#owned)
    await last?.close()
    const { registry, node, lease } = settings
    if (next !== null) this.#logger.info({ node, lease }, 'cluster: joined')
    else if (last !== null) this.#logger.info({ registry }, 'cluster: left')
  }

  /** The library is loaded only where there is a cluster. */
  async #open(settings: ClusterSettings): Promise<RedisRegistry> {
    const { RedisRegistry: Registry } = await import('../cluster/redis-registry.ts')
    return new Registry(settings, this.#bootId, this.#logger, {
      onLost: (stream, owner) => {
        this.#owned.delete(stream)
        this.#events.onLost(stream, owner)
      },
      onBegan: (stream) => this.#events.onBegan(stream),
    })
  }
}
