import { onTestFinished } from 'vitest'
import { RtmpClient, type RtmpClientOptions } from '../../../src/client/rtmp-client.ts'
import type { Packet } from '../../../src/media/packet.ts'
import { type Seen, seen } from './played.ts'
import { frames, headers, type StreamShape } from './synthetic.ts'
import { take } from './take.ts'
import { type Served, servedBy, type TestPlayer } from './test-player.ts'
import { within } from './until.ts'

/** How often a live publisher looks which frames are due, in milliseconds. */
const tickMs = 20

/** A publisher that keeps what it sent. */
export class TestPublisher {
  readonly sent: Seen[] = []
  readonly client: RtmpClient
  readonly served: Served
  /** Resolves when the connection is over, with the reason if it was none of ours. */
  readonly ended: Promise<Error | null>
  #timer: NodeJS.Timeout | null = null

  /** Resolves when media may be sent. */
  static async publish(url: string, options: RtmpClientOptions = {}): Promise<TestPublisher> {
    const { promise: ended, resolve } = Promise.withResolvers<Error | null>()
    const client = await RtmpClient.connect(url, { onClose: resolve, ...options })
    onTestFinished(() => publisher.stop())
    const publisher = new TestPublisher(client, ended)
    await client.publish()
    return publisher
  }

  private constructor(client: RtmpClient, ended: Promise<Error | null>) {
    this.client = client
    this.ended = ended
    this.served = servedBy(client)
  }

  /** Sends packets as fast as the server takes them. */
  async send(packets: Iterable<Packet>): Promise<void> {
    for (const packet of packets) {
      this.sent.push(seen(packet))
      if (!this.client.send(packet)) await within('the server to read', this.client.drained())
    }
  }

  /**
   * Begins a synthetic stream: sends its headers and two frames, and waits until the players have them. They miss
   * nothing of what is sent later, however fast that is.
   */
  async begin(
    stream: Iterator<Packet, never, undefined>,
    players: readonly TestPlayer[],
    startMs = 0,
  ): Promise<void> {
    await this.send([...headers(startMs), ...take(stream, 2)])
    for (const player of players) await player.has(2)
  }

  /** Sends a synthetic stream in real time, headers first, until it is stopped or closed. */
  goLive(shape: StreamShape = {}): void {
    const { frameMs = 40, startMs = 0 } = shape
    for (const packet of headers(startMs)) this.#sendNow(packet)
    const source = frames(shape)
    const begin = performance.now()
    let framesSent = 0
    const sendDue = (): void => {
      if (this.client.closed) this.#halt()
      for (; !this.client.closed && framesSent * frameMs <= performance.now() - begin; framesSent += 1) {
        for (const packet of take(source, 2)) this.#sendNow(packet)
      }
    }
    sendDue()
    this.#timer = setInterval(sendDue, tickMs)
  }

  /** Stops sending and unpublishes. */
  stop(): void {
    this.#halt()
    this.client.close()
  }

  async close(): Promise<void> {
    this.stop()
    await within('the publisher to be closed', this.ended)
  }

  #sendNow(packet: Packet): void {
    this.sent.push(seen(packet))
    this.client.send(packet)
  }

  #halt(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }
}
