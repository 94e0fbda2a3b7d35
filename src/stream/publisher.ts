import { monotonicMs } from '../base/clock.ts'
import type { PublishId, PublishOrigin, SourceNumber, StreamId } from '../ipc/contract.ts'
import type { SenderChannel } from '../ipc/media-server.ts'
import { mergeWaitMs, type RelayClock, relayWaitMs } from '../ipc/relay-clock.ts'
import { StreamHeaders } from '../live/stream-headers.ts'
import { audioType, isHeader, isKeyFrame, type Packet, videoType } from '../media/packet.ts'

/**
 * With this much on its way to the back-source, nothing more is read from the encoder: one that sends faster than
 * real time is slowed down by TCP rather than held in memory.
 */
const fullBytes = 1024 * 1024

/** An encoder waits this long at most for its back-source, in milliseconds; then packets are dropped instead. */
const patienceMs = 2000

/** A back-source that lets this much pile up loses packets to the next key frame. */
const maxQueuedBytes = 16 * 1024 * 1024

/** What a publisher tells and asks the connection it belongs to. */
export interface PublisherOwner {
  /** Whether the encoder can still send. */
  isConnected(): boolean
  /** Reads what has come from the encoder, though it may not be time to. */
  readOn(): void
  /** A back-source pulls: the encoder may send. Called again when another back-source takes the stream over. */
  onAttached(): void
  /** What was on its way has left: {@link Publisher.full} may have changed. */
  onDrain(): void
  /**
   * The master refused the publish.
   * @param redirect the server that has the stream, where the encoder is to be sent
   */
  onRefused(code: string, message: string, redirect?: string): void
  /** The master took the stream away: another publisher replaced this one, or the vhost is gone. */
  onRevoked(code: string, message: string): void
}

/**
 * One accepted encoder: its packets are relayed to the back-source that pulls them. It keeps the metadata and
 * the sequence headers, so that a fresh back-source (the one before crashed) can go on at the next key frame.
 */
export class Publisher {
  readonly id: PublishId
  readonly stream: StreamId
  readonly connectionId: string
  readonly #origin: PublishOrigin
  readonly owner: PublisherOwner
  readonly #clock: RelayClock
  readonly #latency: number | 'auto'
  readonly #relayedStreams: () => number
  readonly #headers = new StreamHeaders()
  #channel: SenderChannel | null = null
  #source: SourceNumber = 0
  #hasVideo = false
  /** Video was lost on the way: what follows cannot be decoded before the next key frame. */
  #awaitsKeyFrame = false
  /** Since when too much is on its way; 0: it is not. */
  #fullSinceMs = 0
  lastPacketAt: number
  packets = 0
  dropped = 0

  /**
   * @param latency `mr_latency`
   * @param relayedStreams how many publishers this process relays now
   */
  constructor(
    id: PublishId,
    stream: StreamId,
    connectionId: string,
    origin: PublishOrigin,
    owner: PublisherOwner,
    clock: RelayClock,
    latency: number | 'auto',
    relayedStreams: () => number,
  ) {
    this.id = id
    this.stream = stream
    this.connectionId = connectionId
    this.#origin = origin
    this.owner = owner
    this.#clock = clock
    this.#latency = latency
    this.#relayedStreams = relayedStreams
    this.lastPacketAt = monotonicMs()
  }

  get source(): SourceNumber {
    return this.#source
  }

  get channel(): SenderChannel | null {
    return this.#channel
  }

  get headers(): StreamHeaders {
    return this.#headers
  }

  /** A back-source begins to pull: it gets what is kept, then everything from the next key frame on. */
  attach(channel: SenderChannel, source: SourceNumber): void {
    if (this.#channel !== null && this.#channel !== channel) {
      this.#channel.send({ t: 'gone', source: this.#source })
      this.detach()
    }
    this.#channel = channel
    this.#source = source
    this.#awaitsKeyFrame = this.#hasVideo
    channel.send({ t: 'restart', source, sourceId: this.connectionId, origin: this.#origin })
    for (const packet of this.#headers.list()) this.#send(channel, packet)
    this.owner.onAttached()
  }

  /** The back-source is gone; another will attach. */
  detach(): void {
    this.#channel = null
    this.onDrain()
  }

  /** How long the encoder's socket rests after a read, so that the next one brings more; 0: not at all. */
  get readWaitMs(): number {
    return this.#channel === null ? 0 : mergeWaitMs(this.#latency, this.#relayedStreams())
  }

  /** Whether the encoder should not be read from at the moment. */
  full(nowMs: number): boolean {
    return this.#fullSinceMs > 0 && nowMs - this.#fullSinceMs < patienceMs
  }

  onDrain(): void {
    if (this.#fullSinceMs === 0) return
    this.#fullSinceMs = 0
    this.owner.onDrain()
  }

  /** The encoder stopped. */
  end(): void {
    this.#channel?.send({ t: 'idle', source: this.#source })
    this.#channel = null
  }

  relay(packet: Packet): void {
    this.packets += 1
    this.lastPacketAt = monotonicMs()
    this.#headers.keep(packet)
    if (packet.type === videoType) this.#hasVideo = true
    const channel = this.#channel
    if (channel === null || (!isHeader(packet) && this.#mustDrop(channel, packet))) {
      this.dropped += 1
      return
    }
    this.#send(channel, packet)
  }

  #mustDrop(channel: SenderChannel, packet: Packet): boolean {
    if (channel.queuedBytes > maxQueuedBytes) {
      this.#awaitsKeyFrame = this.#hasVideo
      return true
    }
    if (!this.#awaitsKeyFrame) return false
    if (packet.type === audioType) return false
    this.#awaitsKeyFrame = !isKeyFrame(packet)
    return this.#awaitsKeyFrame
  }

  #send(channel: SenderChannel, packet: Packet): void {
    const { type, flags, timestamp, body } = packet
    // A header stays here, for the next back-source.
    channel.sendMedia(this.#source, type, flags, timestamp, body, !isHeader(packet))
    // What was merged by the read has waited enough.
    this.#clock.schedule(channel, this.readWaitMs > 0 ? 0 : relayWaitMs(packet))
    if (this.#fullSinceMs > 0 || channel.queuedBytes < fullBytes) return
    channel.flush()
    this.#fullSinceMs = this.lastPacketAt
  }

  /** Whether a packet was ever relayed; the first one may take longer than those that follow. */
  get started(): boolean {
    return this.packets > 0
  }
}
