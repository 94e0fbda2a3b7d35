import { monotonicMs } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { Config, VhostConfig } from '../config/config.ts'
import { vhostOf } from '../config/vhost-of.ts'
import type {
  FromMaster,
  SourceNumber,
  StreamAudience,
  StreamId,
  StreamStatus,
  ToMaster,
} from '../ipc/contract.ts'
import { MediaClient } from '../ipc/media-client.ts'
import type { BroadcastOptions } from '../live/broadcast.ts'
import { FlushClock } from '../live/flush-clock.ts'
import { displayName, vhostOfStream } from '../live/stream-key.ts'
import { PulledStream } from './pulled-stream.ts'
import { type WantedStream, WantedStreams } from './wanted-streams.ts'

/** A stream that nobody plays any more is kept this long: the next player often comes at once. */
const idleMs = 10_000

/** Of the streams that nobody plays, no more than this many are kept: who asks for many names costs little. */
const maxIdleStreams = 256

/** The bytes older than the current GOP that players that are behind may hold. */
const maxBehindBytes = 4 * 1024 * 1024

/** A link that broke while its back-source lives is asked for again after this time. */
const retryMs = 500

/**
 * All streams that this worker pulls for its players: asks the master where each one is, subscribes once per
 * stream, and forgets a stream some time after its last player.
 */
export class PlayerHub {
  readonly #logger: Logger
  readonly #send: (message: ToMaster) => void
  readonly #streams = new Map<StreamId, PulledStream>()
  /** Those without players, the longest idle first. */
  readonly #idle = new Set<PulledStream>()
  readonly #bySource = new Map<SourceNumber, PulledStream>()
  readonly #links = new Map<string, MediaClient>()
  readonly #wanted: WantedStreams
  readonly #clocks = new Map<number | 'auto', FlushClock>()
  #config: Config

  constructor(config: Config, logger: Logger, send: (message: ToMaster) => void) {
    this.#config = config
    this.#logger = logger
    this.#send = send
    this.#wanted = new WantedStreams(send, (stream) => this.#streams.has(stream))
  }

  /** Has the server keep a stream that nobody here plays; to be called once for a stream, until it is released. */
  want(stream: StreamId): WantedStream {
    return this.#wanted.want(stream)
  }

  /**
   * The stream to join for a player; it is looked for if it is not here yet.
   * @param route of a server that plays, as its connection told; see rtmp/forward-route.ts
   */
  streamFor(stream: StreamId, vhost: VhostConfig, route: readonly string[] = []): PulledStream {
    const known = this.#streams.get(stream)
    if (known !== undefined) {
      if (route.length > 0) this.#send({ t: 'downstream', stream, route })
      return known
    }
    const pulled = new PulledStream(stream, this.#clockFor(vhost), this.#optionsOf(vhost), {
      onBusy: () => this.#idle.delete(pulled),
      onIdle: () => this.#keepIdle(pulled),
    })
    this.#streams.set(stream, pulled)
    this.#keepIdle(pulled)
    this.#send(route.length > 0 ? { t: 'watch', stream, route } : { t: 'watch', stream })
    return pulled
  }

  onMessage(message: Extract<FromMaster, { t: 'source-up' | 'source-absent' | 'source-down' }>): void {
    this.#wanted.onMessage(message)
    const pulled = this.#streams.get(message.stream)
    if (pulled === undefined) return
    this.#dropSubscription(pulled)
    const { players } = pulled
    const about = { stream: displayName(message.stream), players }
    if (message.t !== 'source-up') {
      pulled.idle()
      if (message.t === 'source-down' && players > 0) {
        this.#logger.info(about, 'play: the source is gone, players wait for another')
      }
      return
    }
    if (players > 0) this.#logger.info({ ...about, sid: message.sourceId }, 'play: the source is there')
    const link = this.#linkTo(message.path)
    pulled.subscription = { link, source: message.source, sourceId: message.sourceId }
    this.#bySource.set(message.source, pulled)
    link.send({ t: 'subscribe', source: message.source })
  }

  /** Settings changed: they hold for running streams at once. */
  reload(config: Config): void {
    this.#config = config
    for (const pulled of this.#streams.values()) {
      const vhost = vhostOf(config, vhostOfStream(pulled.stream))
      if (vhost === null) continue
      pulled.options = this.#optionsOf(vhost)
      pulled.clock = this.#clockFor(vhost)
    }
  }

  /** To be called about once a second: stalled players, streams without players. */
  sweep(nowMs: number): void {
    for (const pulled of this.#streams.values()) pulled.sweep(nowMs)
    for (const pulled of this.#idle) {
      if (nowMs - pulled.idleSinceMs > idleMs) this.#forget(pulled)
    }
  }

  close(): void {
    // Their players are gone: nobody waits for a stream when its link goes too.
    this.#streams.clear()
    for (const link of this.#links.values()) link.close()
  }

  /** A stream that is pulled here, or null. */
  pulled(stream: StreamId): PulledStream | null {
    return this.#streams.get(stream) ?? null
  }

  /** What went out of each stream since it is pulled. */
  *sent(): Iterable<Pick<StreamAudience, 'stream' | 'sendBytes'>> {
    for (const { stream, bytesOut } of this.#streams.values()) yield { stream, sendBytes: bytesOut }
  }

  status(): StreamStatus[] {
    return [...this.#streams.values()].map((pulled) => {
      return {
        stream: pulled.stream,
        source: pulled.subscription?.source ?? 0,
        sourceId: pulled.subscription?.sourceId ?? '',
        publishing: false,
        players: pulled.players,
        ...pulled.content,
        bytesIn: pulled.bytesIn,
        bytesOut: pulled.bytesOut,
        packetsIn: pulled.packetsIn,
        packetsDropped: 0,
      }
    })
  }

  #keepIdle(pulled: PulledStream): void {
    pulled.idleSinceMs = monotonicMs()
    this.#idle.add(pulled)
    if (this.#idle.size <= maxIdleStreams) return
    const [longest] = this.#idle
    if (longest !== undefined) this.#forget(longest)
  }

  #forget(pulled: PulledStream): void {
    this.#idle.delete(pulled)
    this.#dropSubscription(pulled)
    this.#streams.delete(pulled.stream)
    this.#send({ t: 'unwatch', stream: pulled.stream, bytesOut: pulled.bytesOut })
    // Said first, for what was sent is told with it.
    if (this.#wanted.has(pulled.stream)) this.#send({ t: 'watch', stream: pulled.stream })
  }

  #dropSubscription(pulled: PulledStream): void {
    const { subscription } = pulled
    if (subscription === null) return
    pulled.subscription = null
    pulled.idle()
    this.#bySource.delete(subscription.source)
    subscription.link.send({ t: 'unsubscribe', source: subscription.source })
  }

  #linkTo(path: string): MediaClient {
    const known = this.#links.get(path)
    if (known !== undefined) return known
    const current = (source: SourceNumber): PulledStream | undefined => {
      const pulled = this.#bySource.get(source)
      return pulled?.subscription?.link === link ? pulled : undefined
    }
    const link: MediaClient = new MediaClient(path, {
      onRestart: (source, sourceId) => {
        const pulled = current(source)
        if (pulled === undefined) return
        pulled.subscription = { link, source, sourceId }
        pulled.restart()
      },
      onIdle: (source) => current(source)?.idle(),
      onReplayBegin: (source) => current(source)?.beginReplay(),
      onReplayEnd: (source) => current(source)?.endReplay(),
      onPacket: (source, packet) => current(source)?.push(packet),
      onGone: (source) => {
        const pulled = current(source)
        if (pulled !== undefined) this.#askAgain(pulled)
      },
      onClose: (error) => this.#onLinkClosed(path, link, error),
    })
    this.#links.set(path, link)
    return link
  }

  /** The back-source is gone, or the connection to it broke. In the first case the master tells what comes next. */
  #onLinkClosed(path: string, link: MediaClient, error: Error | null): void {
    this.#links.delete(path)
    for (const pulled of this.#streams.values()) {
      if (pulled.subscription?.link !== link) continue
      this.#logger.warn(
        { err: error ?? undefined, stream: displayName(pulled.stream), players: pulled.players },
        'play: lost the back-source',
      )
      this.#askAgain(pulled)
    }
  }

  #askAgain(pulled: PulledStream): void {
    this.#dropSubscription(pulled)
    setTimeout(() => {
      const isStillWanted = this.#streams.get(pulled.stream) === pulled && pulled.subscription === null
      if (isStillWanted) this.#send({ t: 'watch', stream: pulled.stream })
    }, retryMs)
  }

  #clockFor(vhost: VhostConfig): FlushClock {
    const latency = vhost.minLatency ? 0 : vhost.play.mwLatency
    let clock = this.#clocks.get(latency)
    if (clock === undefined) {
      clock = new FlushClock(latency)
      this.#clocks.set(latency, clock)
    }
    return clock
  }

  #optionsOf(vhost: VhostConfig): BroadcastOptions {
    return {
      gopCache: vhost.play.gopCache,
      gopCacheMaxBytes: vhost.play.gopCacheMaxBytes,
      maxBehindMs: vhost.play.queueLength * 1000,
      maxBehindBytes,
      stallMs: this.#config.stallTimeout * 1000,
    }
  }
}
