import { monotonicMs } from '../../base/clock.ts'
import { WeirError } from '../../base/errors.ts'
import type { RtmpClient, RtmpClientOptions } from '../../client/rtmp-client.ts'
import type { SourceConsumer } from '../../live/source.ts'
import type { Packet } from '../../media/packet.ts'
import { RelayQueue } from './relay-queue.ts'

/** What a link needs of the stream that goes over it; settings are those in force. */
export interface LinkSource {
  readonly chunkSize: number
  /** `queue_length` and `stall_timeout`. */
  readonly queueMs: number
  readonly stallMs: number
  /** Gives the link the headers, the GOP and then every packet. */
  join(consumer: SourceConsumer): void
  leave(consumer: SourceConsumer): void
}

/** Where a link goes, and what it begins with. */
export type LinkOptions = Pick<
  RtmpClientOptions,
  'tcUrl' | 'tls' | 'connectFields' | 'connectArgs' | 'timeoutMs' | 'answerTimeoutMs' | 'onRedirect'
> & {
  readonly url: string
  /** Ends it: in good order, once it is connected. */
  readonly signal: AbortSignal
}

/**
 * One connection over which a stream is published at another server. It joins the stream as a player does, so that the other
 * end gets headers and GOP first, whenever it begins.
 */
export class PublishLink implements SourceConsumer {
  readonly #client: RtmpClient
  readonly #source: LinkSource
  readonly #queue = new RelayQueue()
  /** Resolves when the connection has ended, with the reason unless that was in order. */
  readonly closed: Promise<Error | null>

  /**
   * Connects, and asks to publish.
   * @throws WeirError RTMP_REJECTED: the other server is there and refuses; everything else: it is not there, or not in order
   */
  static async open(options: LinkOptions, source: LinkSource): Promise<PublishLink> {
    const { url, ...others } = options
    // A back-source that sends nothing on does not load the client.
    const { RtmpClient } = await import('../../client/rtmp-client.ts')
    const closed = Promise.withResolvers<Error | null>()
    const client = await RtmpClient.connect(url, {
      ...others,
      chunkSize: source.chunkSize,
      onClose: closed.resolve,
    })
    await client.publish()
    return new PublishLink(client, source, closed.promise)
  }

  private constructor(client: RtmpClient, source: LinkSource, closed: Promise<Error | null>) {
    this.#client = client
    this.#source = source
    this.closed = closed
  }

  /** What the other server has told about itself. */
  get information(): RtmpClient['information'] {
    return this.#client.information
  }

  get bytesSent(): number {
    return this.#client.bytesSent
  }

  get bytesReceived(): number {
    return this.#client.bytesReceived
  }

  /** Asks the other server for a sign of life. */
  ping(): void {
    if (!this.#client.closed) this.#client.ping()
  }

  /** Ends the connection at once. */
  destroy(error: Error): void {
    this.#client.destroy(error)
  }

  /** Packets that the other server was too slow for. */
  get dropped(): number {
    return this.#queue.dropped
  }

  /** Sends the stream from now on. */
  begin(): void {
    this.#queue.open(this.#client)
    this.#source.join(this)
  }

  /** Takes nothing more. Resolves when what waits has left, or the connection is gone. */
  async finish(): Promise<void> {
    this.#source.leave(this)
    await this.#queue.emptied()
  }

  /** To be called when the connection is gone. */
  release(): void {
    this.#source.leave(this)
    this.#queue.close()
  }

  onRestart(): void {
    this.#queue.restart()
  }

  /** Whoever owns the link says when it ends. */
  onIdle(): void {}

  onPacket(packet: Packet): void {
    const { queueMs, stallMs } = this.#source
    this.#queue.push(packet, queueMs)
    if (!this.#queue.blocked || this.#queue.blockedMs(monotonicMs()) <= stallMs) return
    const seconds = Math.round(stallMs / 1000)
    this.#client.destroy(new WeirError('FORWARD_SLOW', `nothing was read for ${seconds} s`))
  }
}
