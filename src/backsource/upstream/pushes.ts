import type { WeirError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { ownAddress } from '../../base/own-address.ts'
import type { Config } from '../../config/config.ts'
import { vhostOf } from '../../config/vhost-of.ts'
import type { PublisherRef, SourceNumber, ToMaster } from '../../ipc/contract.ts'
import type { PushStatus } from '../../ipc/push-facts.ts'
import type { SourceConsumer } from '../../live/source.ts'
import { displayName, vhostOfStream } from '../../live/stream-key.ts'
import type { AmfRecord } from '../../media/amf-value.ts'
import { edgeArguments, peerOf } from '../../rtmp/edge-identity.ts'
import { formatRoute, hopOf, routeField } from '../../rtmp/forward-route.ts'
import type { LiveStream } from '../live-stream.ts'
import { type PushHost, UpstreamPush } from './upstream-push.ts'
import { upstreamUrl } from './upstream-url.ts'

/** What pushes need of the process that holds their streams. */
export interface PushesOwner {
  readonly config: Config
  readonly logger: Logger
  readonly serverId: string
  send(message: ToMaster): void
}

/** Where the publisher of a push is: it waits for its verdict, is asked for its stream, or sends it. */
interface Entry {
  readonly push: UpstreamPush
  publisher: 'waits' | 'attached' | 'sends'
}

/** The pushes of a back-source: one for each of its streams whose publisher is passed on to another server. */
export class Pushes {
  readonly #owner: PushesOwner
  readonly #pushes = new Map<SourceNumber, Entry>()
  /** Pushes of publishers that have left, and are not over yet: a server is never given one stream twice. */
  readonly #ending = new Map<SourceNumber, Promise<void>>()

  constructor(owner: PushesOwner) {
    this.#owner = owner
  }

  /**
   * Passes a publisher on to one of these servers from now on.
   * @param attach asks it for its stream: at once if it has its verdict already, else when a server takes it
   */
  push(live: LiveStream, upstreams: readonly string[], publisher: PublisherRef, attach: () => void): void {
    void this.stop(live.number)
    const onAccepted = (): void => {
      entry.publisher = 'attached'
      attach()
    }
    const host = this.#hostOf(live, publisher, onAccepted)
    const earlier = this.#ending.get(live.number)
    const push = new UpstreamPush(upstreams, host, publisher.granted, earlier)
    const entry: Entry = { push, publisher: 'waits' }
    this.#pushes.set(live.number, entry)
    if (publisher.granted) onAccepted()
  }

  /** Another configuration: a publisher that sends already goes to these servers; null: to none. */
  change(live: LiveStream, upstreams: readonly string[] | null, publisher: PublisherRef | null): void {
    const known = this.#pushes.get(live.number)
    if (upstreams === null) void this.stop(live.number)
    else if (known !== undefined) known.push.upstreams = upstreams
    else if (publisher !== null && live.publishing) {
      this.push(live, upstreams, { ...publisher, granted: true }, () => {})
      this.begin(live.number)
    }
  }

  /** The publisher's stream comes from now on. */
  begin(source: SourceNumber): void {
    const entry = this.#pushes.get(source)
    if (entry === undefined) return
    entry.publisher = 'sends'
    entry.push.begin()
  }

  /**
   * A publisher has left, or was gone when it was asked for its stream. Word of an earlier one may come late: it means
   * nothing to one that waits.
   */
  leave(source: SourceNumber, how: 'has-left' | 'never-came'): void {
    const state = this.#pushes.get(source)?.publisher
    if (state === 'sends' || (state === 'attached' && how === 'never-came')) void this.stop(source)
  }

  /** The publisher has left. Resolves when the other server has heard of it. */
  stop(source: SourceNumber): Promise<void> {
    const push = this.#pushes.get(source)?.push
    if (push === undefined) return this.#ending.get(source) ?? Promise.resolve()
    this.#pushes.delete(source)
    const ending: Promise<void> = push.stop().finally(() => {
      if (this.#ending.get(source) === ending) this.#ending.delete(source)
    })
    this.#ending.set(source, ending)
    return ending
  }

  status(source: SourceNumber): PushStatus | null {
    return this.#pushes.get(source)?.push.status ?? null
  }

  #identity({ connectionId }: PublisherRef): AmfRecord {
    const { serverId, config } = this.#owner
    const ip = ownAddress(config.stats.network)
    return edgeArguments({ serverId, pid: String(process.pid), connectionId, ip })
  }

  #hostOf(live: LiveStream, publisher: PublisherRef, onAccepted: () => void): PushHost {
    const { stream, number: source } = live
    const owner = this.#owner
    const initial = live.config
    const vhost = () => vhostOf(owner.config, vhostOfStream(stream)) ?? initial
    const logger = owner.logger.child({ stream: displayName(stream), sid: publisher.connectionId })
    return {
      logger,
      get settings() {
        return vhost().cluster
      },
      source: {
        get chunkSize() {
          return vhost().chunkSize
        },
        get queueMs() {
          return vhost().play.queueLength * 1000
        },
        get stallMs() {
          return owner.config.stallTimeout * 1000
        },
        join: (consumer: SourceConsumer) => live.join(consumer),
        leave: (consumer: SourceConsumer) => live.leave(consumer),
      },
      optionsFor: (address) => {
        const { url, ...tcUrl } = upstreamUrl(address, stream, vhost().cluster.vhost)
        const route = [...publisher.route, hopOf(owner.serverId, stream)]
        return {
          url: `${url}${withoutVhost(publisher.param)}`,
          ...tcUrl,
          connectFields: { [routeField]: formatRoute(route) },
          ...(vhost().cluster.debugSrsUpnode ? { connectArgs: this.#identity(publisher) } : {}),
        }
      },
      idOf: ({ information }) => peerOf(information).connectionId,
      onHealth: (address, ok) => owner.send({ t: 'upstream-health', address, ok }),
      onAccepted,
      onEnded: ({ code, message }: WeirError) => {
        logger.warn({ code, reason: message }, 'push: no upstream server takes the stream')
        void this.stop(source)
        owner.send({ t: 'disconnect', source, code, message })
      },
    }
  }
}

/** The query of a publisher, for a server at which the virtual host may be another one. */
export function withoutVhost(param: string): string {
  const kept = param
    .slice(1)
    .split('&')
    .filter((pair) => pair !== '' && !pair.startsWith('vhost='))
  return kept.length === 0 ? '' : `?${kept.join('&')}`
}
