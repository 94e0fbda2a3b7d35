import { monotonicMs } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { Config, VhostConfig } from '../config/config.ts'
import type { HookSubject } from '../hooks/hook-body.ts'
import type { FileHooks } from '../hooks/stream-hooks.ts'
import type {
  PublisherRef,
  PublishOrigin,
  Received,
  SourceNumber,
  StreamId,
  StreamInfo,
  StreamStatus,
} from '../ipc/contract.ts'
import { Source, type SourceConsumer, type SourceOptions } from '../live/source.ts'
import { displayName, splitStreamId } from '../live/stream-key.ts'
import {
  type AudioDescription,
  describeAudio,
  describeVideo,
  type VideoDescription,
} from '../media/describe.ts'
import {
  codecName,
  dataType,
  isHeader,
  metadataFlag,
  type Packet,
  type PacketType,
  sequenceHeaderFlag,
  videoType,
} from '../media/packet.ts'
import { dvrOutput } from './dvr/dvr-stream.ts'
import { forwardOutput } from './forward/forward-stream.ts'
import { hlsOutput } from './hls/hls-stream.ts'
import { metadataAsksForAtc } from './metadata.ts'
import { streamPrograms } from './programs/stream-programs.ts'
import { type OutputHost, StreamOutputs } from './stream-output.ts'
import { type SubscriberChannel, Subscription } from './subscription.ts'

/** What a stream hears of the process that holds it, and tells it. */
export interface LiveStreamOwner {
  /** The configuration in force. */
  readonly config: Config
  /** See base/own-client.ts. */
  readonly ownToken: string
  readonly serverId: string
  /** Tells other servers of the files that are made of streams. */
  readonly hooks: FileHooks
  /** The publisher is to be closed. */
  onDisconnect(stream: LiveStream, code: string, message: string): void
}

/** What is made of a stream beside its players. */
const outputKinds = [hlsOutput, dvrOutput, forwardOutput, streamPrograms]

/** So often a publisher's change of codec or size is logged: one that changes all the time fills no disk. */
const maxDescriptions = 10

/** One stream in a back-source: its source, who subscribed, and its outputs. */
export class LiveStream {
  readonly stream: StreamId
  readonly number: SourceNumber
  readonly #source: Source
  readonly #logger: Logger
  readonly #subscriptions = new Map<SubscriberChannel, Subscription>()
  readonly #outputs: StreamOutputs
  #config: VhostConfig
  /** The present one, or the last. */
  #publisher: PublisherRef | null = null
  /** What the log has of the present publisher's video and audio. */
  readonly #described = new Map<PacketType, string>()
  #descriptions = 0
  /** What the present publisher sends. */
  #video: VideoDescription | null = null
  #audio: AudioDescription | null = null
  #publishedAtMs = 0
  /** What came in of it in other back-sources before. */
  readonly #before: Received
  /** Monotonic time since when it is here. */
  readonly openedAtMs = monotonicMs()
  #origin: PublishOrigin | null = null
  /** Video frames of all publishers here. */
  #frames = 0
  /** The present publisher's metadata asks for absolute timestamps. */
  #asksForAtc = false

  constructor(
    stream: StreamId,
    number: SourceNumber,
    config: VhostConfig,
    logger: Logger,
    owner: LiveStreamOwner,
    before: Received = { recvBytes: 0, frames: 0 },
  ) {
    this.#before = before
    this.stream = stream
    this.number = number
    this.#config = config
    this.#source = new Source(sourceOptions(config, false))
    this.#logger = logger.child({ stream: displayName(stream) })
    const host: OutputHost = {
      stream,
      logger: this.#logger,
      ownToken: owner.ownToken,
      get config() {
        return owner.config
      },
      serverId: owner.serverId,
      hooks: owner.hooks,
      publisher: () => this.#hookSubject(),
      origin: () => this.#origin,
      isAbsolute: () => isAbsolute(this.#config, this.#asksForAtc),
      join: (consumer: SourceConsumer) => this.#source.join(consumer),
      leave: (consumer: SourceConsumer) => this.#source.leave(consumer),
      disconnect: (code: string, message: string) => owner.onDisconnect(this, code, message),
    }
    this.#outputs = new StreamOutputs(this.#source, host, outputKinds, config)
  }

  /** Whose packets come next. */
  set publisher(publisher: PublisherRef) {
    this.#publisher = publisher
  }

  get publisher(): PublisherRef | null {
    return this.#publisher
  }

  /** Whether something comes. */
  get publishing(): boolean {
    return this.#source.sourceId !== ''
  }

  join(consumer: SourceConsumer): void {
    this.#source.join(consumer)
  }

  leave(consumer: SourceConsumer): void {
    this.#source.leave(consumer)
  }

  get config(): VhostConfig {
    return this.#config
  }

  set config(config: VhostConfig) {
    this.#config = config
    this.#applyOptions()
    this.#outputs.reconfigure(config)
  }

  /** @param origin where it comes from, as far as that is known */
  publish(sourceId: string, origin: PublishOrigin | null = null): void {
    this.#origin = origin
    this.#asksForAtc = false
    this.#applyOptions()
    this.#described.clear()
    this.#descriptions = 0
    this.#video = null
    this.#audio = null
    this.#publishedAtMs = monotonicMs()
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
    else if (packet.flags & sequenceHeaderFlag || !this.#described.has(packet.type)) this.#describe(packet)
    if (packet.type === videoType && !isHeader(packet)) this.#frames += 1
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

  /** Deletes what its outputs have written, if nobody publishes. */
  dispose(): void {
    if (this.#source.sourceId === '') this.#outputs.dispose()
  }

  /** What its outputs do, for the periodic summary. */
  logSummary(): void {
    this.#outputs.logSummary()
  }

  /** The end of the stream. Resolves when its files are complete. */
  async close(): Promise<void> {
    this.unpublish()
    await this.#outputs.close()
  }

  /** Bytes of all publishers, here. */
  get bytesIn(): number {
    return this.#source.bytesIn
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
      bytesIn: this.#before.recvBytes + this.#source.bytesIn,
      bytesOut: 0,
      packetsIn: this.#source.packetsIn,
      packetsDropped: dropped,
      ...this.#outputs.facts,
    }
  }

  /** What the API tells of the stream. */
  info(): Omit<StreamInfo, 'recvKbps' | 'upstream' | 'push'> {
    return {
      source: this.number,
      stream: this.stream,
      sourceId: this.#source.sourceId,
      tcUrl: this.#origin?.tcUrl ?? '',
      publishMs: this.#source.sourceId === '' ? 0 : monotonicMs() - this.#publishedAtMs,
      frames: this.#before.frames + this.#frames,
      recvBytes: this.#before.recvBytes + this.#source.bytesIn,
      video: this.#video,
      audio: this.#audio,
      hls: this.#outputs.facts.hls ?? null,
      dvr: this.#outputs.facts.dvr ?? null,
      forwards: this.#outputs.facts.forwards ?? [],
    }
  }

  /** Notes what the publisher sends, and says in the log when that changes. */
  #describe(packet: Packet): void {
    if (packet.type === dataType) return
    const isVideo = packet.type === videoType
    if (isVideo) this.#video = describeVideo(packet.body)
    else this.#audio = describeAudio(packet.body)
    const description = isVideo ? this.#video : this.#audio
    if (description === null || this.#descriptions >= maxDescriptions) return
    const known = Object.fromEntries(Object.entries(description).filter(([, value]) => value !== null))
    const text = JSON.stringify(known)
    if (this.#described.get(packet.type) === text) return
    this.#described.set(packet.type, text)
    this.#descriptions += 1
    const kind = isVideo ? 'video' : 'audio'
    this.#logger.info({ sid: this.#source.sourceId, [kind]: known }, `source: ${kind}`)
  }

  #readMetadata(packet: Packet): void {
    if (this.#asksForAtc || !this.#config.play.atcAuto || !metadataAsksForAtc(packet.body)) return
    this.#asksForAtc = true
    this.#applyOptions()
    this.#logger.info('source: the metadata asks for atc')
  }

  #hookSubject(): HookSubject {
    const { connectionId: clientId = '', ip = '', param = '' } = this.#publisher ?? {}
    return { ...splitStreamId(this.stream), clientId, ip, param }
  }

  #applyOptions(): void {
    this.#source.options = sourceOptions(this.#config, this.#asksForAtc)
  }
}

function isAbsolute({ play }: VhostConfig, asksForAtc: boolean): boolean {
  return play.atc || (play.atcAuto && asksForAtc)
}

function sourceOptions(config: VhostConfig, asksForAtc: boolean): SourceOptions {
  const { play } = config
  return {
    timeJitter: play.timeJitter,
    atc: isAbsolute(config, asksForAtc),
    gopCache: play.gopCache,
    gopCacheLimits: { maxDurationMs: play.queueLength * 1000, maxBytes: play.gopCacheMaxBytes },
  }
}
