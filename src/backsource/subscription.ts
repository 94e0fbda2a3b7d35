import type { SourceConsumer } from '../live/source.ts'
import { isHeader, isKeyFrame, type Packet, videoType } from '../media/packet.ts'

/** What a subscription needs of the channel to the worker that asked. */
export interface SubscriberChannel {
  readonly queuedBytes: number
  sendRestart(source: number, sourceId: string): void
  sendIdle(source: number): void
  sendPacket(source: number, packet: Packet): void
  /** Before and after packets that are sent once more. */
  sendReplay(source: number, edge: 'begin' | 'end'): void
}

/** A worker that lets this much pile up loses the rest of the GOP: a live stream does not wait for it. */
export const maxQueuedBytes = 16 * 1024 * 1024

/**
 * One worker's subscription to one source. A worker that does not keep up is dropped to the next key frame;
 * sequence headers and metadata always get through, and the source never waits.
 */
export class Subscription implements SourceConsumer {
  readonly #source: number
  readonly #channel: SubscriberChannel
  #skipping = false
  #hasVideo = false
  dropped = 0

  constructor(source: number, channel: SubscriberChannel) {
    this.#source = source
    this.#channel = channel
  }

  onRestart(sourceId: string): void {
    this.#skipping = false
    this.#hasVideo = false
    this.#channel.sendRestart(this.#source, sourceId)
  }

  onIdle(): void {
    this.#channel.sendIdle(this.#source)
  }

  onPacket(packet: Packet): void {
    if (!isHeader(packet) && this.#mustSkip(packet)) {
      this.dropped += 1
      return
    }
    this.#channel.sendPacket(this.#source, packet)
  }

  /**
   * Sends what came before once more; see the contract. Where that is more than may wait, headers alone: who plays
   * already would lose packets by the rest, and the channel might close.
   */
  replay(past: readonly Packet[]): void {
    const bytes = past.reduce((sum, { body }) => sum + body.length, 0)
    const fits = this.#channel.queuedBytes + bytes <= maxQueuedBytes
    this.#channel.sendReplay(this.#source, 'begin')
    for (const packet of past) if (fits || isHeader(packet)) this.#channel.sendPacket(this.#source, packet)
    this.#channel.sendReplay(this.#source, 'end')
  }

  #mustSkip(packet: Packet): boolean {
    if (packet.type === videoType) this.#hasVideo = true
    if (this.#channel.queuedBytes > maxQueuedBytes) this.#skipping = true
    else if (this.#skipping) this.#skipping = this.#hasVideo && !isKeyFrame(packet)
    return this.#skipping
  }
}
