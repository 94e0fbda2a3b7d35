import { nodeQuery } from '../../access/node-token.ts'
import type { WeirError } from '../../base/errors.ts'
import { noteBuffer } from '../../base/external-memory.ts'
import type { Logger } from '../../base/logger.ts'
import { ownAddress } from '../../base/own-address.ts'
import type { Config } from '../../config/config.ts'
import { vhostOf } from '../../config/vhost-of.ts'
import type { SourceNumber, ToMaster, UpstreamInfo } from '../../ipc/contract.ts'
import { displayName, splitStreamId, vhostOfStream } from '../../live/stream-key.ts'
import { hopOf } from '../../rtmp/forward-route.ts'
import type { LiveStream } from '../live-stream.ts'
import { openLink } from './open-link.ts'
import { type PullHost, UpstreamPull } from './upstream-pull.ts'
import { upstreamUrl } from './upstream-url.ts'

/** What pulls need of the process that holds their streams. */
export interface PullsOwner {
  readonly config: Config
  readonly serverId: string
  readonly logger: Logger
  send(message: ToMaster): void
}

/** Where a stream is pulled from, and for whom. */
export interface PullOrder {
  readonly upstreams: readonly string[]
  /** Where those that it is pulled for have it from. */
  readonly route: readonly string[]
}

/** The pulls of a back-source: one for each of its streams that another server has. */
export class Pulls {
  readonly #owner: PullsOwner
  readonly #pulls = new Map<SourceNumber, UpstreamPull>()
  readonly #routes = new Map<SourceNumber, readonly string[]>()

  constructor(owner: PullsOwner) {
    this.#owner = owner
  }

  /** Pulls a stream from these servers from now on. */
  pull(live: LiveStream, order: PullOrder): void {
    const known = this.#pulls.get(live.number)
    this.#routes.set(live.number, order.route)
    if (known !== undefined) {
      known.upstreams = order.upstreams
      return
    }
    const feed = {
      publish: (sourceId: string) => live.publish(sourceId),
      push: (packet: Parameters<LiveStream['push']>[0]) => {
        noteBuffer(packet.body.length)
        live.push(packet)
      },
      unpublish: () => live.unpublish(),
    }
    const pull = new UpstreamPull(feed, order.upstreams, this.#hostOf(live), openLink)
    this.#pulls.set(live.number, pull)
  }

  /** The stream is pulled no more: it is over, or somebody publishes it. */
  stop(source: SourceNumber): void {
    this.#pulls.get(source)?.stop()
    this.#pulls.delete(source)
    this.#routes.delete(source)
  }

  /** Where a stream comes from at the moment. */
  upstreamOf(source: SourceNumber): UpstreamInfo | null {
    return this.#pulls.get(source)?.upstream ?? null
  }

  has(source: SourceNumber): boolean {
    return this.#pulls.has(source)
  }

  /** Whether a stream is pulled for nobody any more. */
  isIdle(live: LiveStream): boolean {
    return this.has(live.number) && live.status().players === 0
  }

  #hostOf(live: LiveStream): PullHost {
    const { stream, number: source } = live
    const owner = this.#owner
    const logger = owner.logger.child({ stream: displayName(stream) })
    const initial = live.config.cluster
    const cluster = () => vhostOf(owner.config, vhostOfStream(stream))?.cluster ?? initial
    return {
      logger,
      get settings() {
        return cluster()
      },
      urlOn: (address) => {
        const at = upstreamUrl(address, stream, cluster().vhost)
        // Of an edge's origins nobody knows the cluster, of which this server may be a node, too.
        const secret = cluster().mode === 'remote' ? '' : owner.config.cluster.secret
        return secret === '' ? at : { ...at, url: `${at.url}?${nodeQuery(secret, splitStreamId(stream))}` }
      },
      route: () => [...(this.#routes.get(source) ?? []), hopOf(owner.serverId, stream)],
      identity: (connectionId) => {
        if (!cluster().debugSrsUpnode) return null
        return {
          serverId: owner.serverId,
          pid: String(process.pid),
          connectionId,
          ip: ownAddress(owner.config.stats.network),
        }
      },
      onMedia: () => owner.send({ t: 'opened', source }),
      onHealth: (address, ok) => owner.send({ t: 'upstream-health', address, ok }),
      onEnded: ({ code, message }: WeirError) => {
        logger.info({ code, reason: message }, 'pull: the stream is not there')
        this.stop(source)
        live.unpublish()
        owner.send({ t: 'pull-ended', source, code, message })
      },
    }
  }
}
