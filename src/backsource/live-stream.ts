import type { Logger } from '../base/logger.ts'
import type { VhostConfig } from '../config/config.ts'
import type { SourceNumber, StreamId, StreamStatus } from '../ipc/contract.ts'
import { Source, type SourceOptions } from '../live/source.ts'
import { displayName } from '../live/stream-key.ts'
import { codecName, dataType, metadataFlag, type Packet } from '../media/packet.ts'
import { metadataAsksForAtc } from './metadata.ts'
import { type SubscriberChannel, Subscription } from './subscription.ts'

/**
 * One stream in a back-source: its source and who subscribed. Segmenters, recorders and forwarders will be
 * further consumers of the source beside the subscriptions.
 */
export class LiveStream {
  readonly stream: StreamId
  readonly number: SourceNumber
  readonly #source: Source
  readonly #logger: Logger
  readonly #subscriptions = new Map<SubscriberChannel, Subscription>()
  #config: VhostConfig
  /** The present publisher's metadata asks for absolute timestamps. */
  #asksForAtc = false

  constructor(stream: StreamId, number: SourceNumber, config: VhostConfig, logger: Logger) {
    this.stream = stream
    this.number = number
    this.#config = config
    this.#source = new Source(sourceOptions(config, false))
    this.#logger = logger.child({ stream: displayName(stream) })
  }

  set config(config: VhostConfig) {
    this.#config = config
    this.#applyOptions()
  }

  publish(sourceId: string): void {
    this.#asksForAtc = false
    this.#applyOptions()
    this.#source.publish(sourceId)
    this.#logger.info({ sid: sourceId }, 'source: publisher attached')
  }

  unpublish(): void {
    if (this.#source.sourceId === '') return
    this.#logger.info({ sid: this.#source.sourceId }, 'source: publisher left')
    this.#source.unpublish()
  }

  push(packet: Packet): void {
    if (packet.type === dataType && packet.flags & metadataFlag) this.#readMetadata(packet)
    this.#source.push(packet)
  }

  subscribe(channel: SubscriberChannel): void {
    this.unsubscribe(channel)
    const subscription = new Subscription(this.number, channel)
    this.#subscriptions.set(channel, subscription)
    this.#source.join(subscription)
    // Who asks for the stream shall know that it has to wait.
    if (this.#source.sourceId === '') subscription.onIdle()
  }

  /** A subscriber needs the cached past once more. */
  replay(channel: SubscriberChannel): void {
    this.#subscriptions.get(channel)?.replay(this.#source.past())
  }

  unsubscribe(channel: SubscriberChannel): void {
    const subscription = this.#subscriptions.get(channel)
    if (subscription === undefined) return
    this.#subscriptions.delete(channel)
    this.#source.leave(subscription)
    if (subscription.dropped > 0) {
      this.#logger.warn(
        { dropped: subscription.dropped },
        'source: a worker that did not keep up lost packets',
      )
    }
  }

  status(): StreamStatus {
    const { video, audio } = this.#source.headers
    let dropped = 0
    for (const subscription of this.#subscriptions.values()) dropped += subscription.dropped
    return {
      stream: this.stream,
      source: this.number,
      sourceId: this.#source.sourceId,
      publishing: this.#source.sourceId !== '',
      players: this.#subscriptions.size,
      video: video && codecName(video.type, video.body),
      audio: audio && codecName(audio.type, audio.body),
      bytesIn: this.#source.bytesIn,
      bytesOut: 0,
      packetsIn: this.#source.packetsIn,
      packetsDropped: dropped,
    }
  }

  #readMetadata(packet: Packet): void {
    if (this.#asksForAtc || !this.#config.play.atcAuto || !metadataAsksForAtc(packet.body)) return
    this.#asksForAtc = true
    this.#applyOptions()
    this.#logger.info('source: the metadata asks for atc')
  }

  #applyOptions(): void {
    this.#source.options = sourceOptions(this.#config, this.#asksForAtc)
  }
}

function sourceOptions({ play }: VhostConfig, asksForAtc: boolean): SourceOptions {
  return {
    timeJitter: play.timeJitter,
    atc: play.atc || (play.atcAuto && asksForAtc),
    gopCache: play.gopCache,
    gopCacheLimits: { maxDurationMs: play.queueLength * 1000, maxBytes: play.gopCacheMaxBytes },
  }
}
