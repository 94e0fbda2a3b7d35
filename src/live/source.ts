import { monotonicMs } from '../base/clock.ts'
import { dataType, isHeader, isKeyFrame, type Packet } from '../media/packet.ts'
import { GopCache, type GopCacheLimits } from './gop-cache.ts'
import { StreamHeaders } from './stream-headers.ts'
import { type TimeJitter, TimestampCorrector } from './timestamps.ts'

export interface SourceOptions {
  readonly timeJitter: TimeJitter
  /** Timestamps pass through as sent, so that two packagers cut alike. */
  readonly atc: boolean
  readonly gopCache: boolean
  readonly gopCacheLimits: GopCacheLimits
}

/** Whoever takes a source’s packets: a subscribed worker, a segmenter, a recorder, a forwarder. */
export interface SourceConsumer {
  /** A publisher begins; what the consumer knows of the one before is stale. */
  onRestart(sourceId: string): void
  /** The publisher left; another may come. */
  onIdle(): void
  onPacket(packet: Packet): void
}

/**
 * How long after its beginning a publish is still given out whole, in milliseconds: players that waited for it
 * subscribe within a moment, and shall miss nothing, key frame or not.
 */
const openingMs = 2000

/** No more of it is kept than this: beyond it the GOP has to do. */
const maxOpeningBytes = 8 * 1024 * 1024

/**
 * One live stream: what its publisher sends, with timestamps corrected, handed to every consumer. It outlives
 * its publishers: when one goes and another comes, the consumers stay and the stream's time goes on.
 */
export class Source {
  readonly #headers = new StreamHeaders()
  /** All that the publisher has sent since it began, for a short time; null: that time is over. */
  #opening: Packet[] | null = null
  #openingBytes = 0
  #beganAtMs = 0
  /** The headers in force where the cached GOP begins. */
  #gopHeaders: readonly Packet[] = []
  readonly #gop: GopCache
  readonly #corrector: TimestampCorrector
  readonly #consumers = new Set<SourceConsumer>()
  #options: SourceOptions
  #sourceId = ''
  packetsIn = 0
  bytesIn = 0

  constructor(options: SourceOptions) {
    this.#options = options
    this.#gop = new GopCache(options.gopCacheLimits)
    this.#corrector = new TimestampCorrector(correctionOf(options))
  }

  /** Connection id of the publisher; empty while there is none. */
  get sourceId(): string {
    return this.#sourceId
  }

  get headers(): StreamHeaders {
    return this.#headers
  }

  get consumers(): number {
    return this.#consumers.size
  }

  /** Applies changed settings to the running stream (reload). */
  set options(options: SourceOptions) {
    this.#options = options
    this.#gop.limits = options.gopCacheLimits
    this.#corrector.mode = correctionOf(options)
    if (!options.gopCache) this.#gop.clear()
  }

  /** A publisher begins, or takes over from another. */
  publish(sourceId: string): void {
    this.#sourceId = sourceId
    this.#opening = []
    this.#openingBytes = 0
    this.#beganAtMs = monotonicMs()
    this.#headers.clear()
    this.#gop.clear()
    this.#corrector.restart()
    for (const consumer of this.#consumers) consumer.onRestart(sourceId)
  }

  /** The publisher is gone. Consumers stay; who joins now waits for the next one. */
  unpublish(): void {
    this.#sourceId = ''
    this.#opening = null
    this.#gop.clear()
    for (const consumer of this.#consumers) consumer.onIdle()
  }

  /** Takes the publisher's next packet; its body is kept and shared. */
  push(packet: Packet): void {
    this.packetsIn += 1
    this.bytesIn += packet.body.length
    const corrected = this.#correct(packet)
    this.#keepOpening(corrected)
    if (isKeyFrame(corrected)) this.#gopHeaders = this.#headers.list()
    this.#headers.keep(corrected)
    if (this.#options.gopCache) this.#gop.add(corrected)
    for (const consumer of this.#consumers) consumer.onPacket(corrected)
  }

  /** Adds a consumer: it gets the headers and the current GOP at once, then every packet. */
  join(consumer: SourceConsumer): void {
    this.#consumers.add(consumer)
    if (this.#sourceId === '') return
    consumer.onRestart(this.#sourceId)
    for (const packet of this.past()) consumer.onPacket(packet)
  }

  leave(consumer: SourceConsumer): void {
    this.#consumers.delete(consumer)
  }

  /**
   * What a consumer gets that joins now: the publish from its beginning, else the GOP, with the headers before it.
   * Nothing while nobody publishes.
   */
  past(): readonly Packet[] {
    if (this.#sourceId === '') return []
    this.#endOpeningInTime()
    if (this.#opening !== null) return this.#opening
    const { packets } = this.#gop
    return packets.length > 0 ? [...this.#gopHeaders, ...packets] : this.#headers.list()
  }

  #keepOpening(packet: Packet): void {
    this.#endOpeningInTime()
    if (this.#opening === null) return
    this.#opening.push(packet)
    this.#openingBytes += packet.body.length
    const maxBytes = Math.min(maxOpeningBytes, this.#options.gopCacheLimits.maxBytes)
    if (this.#openingBytes > maxBytes) this.#opening = null
  }

  #endOpeningInTime(): void {
    if (monotonicMs() - this.#beganAtMs > openingMs) this.#opening = null
  }

  /**
   * Metadata and sequence headers often carry 0 in the middle of a stream: they take the stream's time and do
   * not move it. Audio and video move it.
   */
  #correct(packet: Packet): Packet {
    const outside = packet.type === dataType || isHeader(packet)
    const timestamp = outside ? this.#corrector.current : this.#corrector.correct(packet.timestamp)
    return timestamp === packet.timestamp ? packet : { ...packet, timestamp }
  }
}

function correctionOf(options: SourceOptions): TimeJitter {
  return options.atc ? 'off' : options.timeJitter
}
