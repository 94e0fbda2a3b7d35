/** A publisher over RTMP that sends a clip at the clip's own pace. */
import { monotonicMs } from '../../base/clock.ts'
import { messageOf, WeirError } from '../../base/errors.ts'
import { RtmpClient } from '../../client/rtmp-client.ts'
import { type ClientEvents, connectTimeoutMs, type LoadClient } from './client.ts'
import type { Clip, ClipFrame } from './clip.ts'
import { machineMs } from './machine-clock.ts'
import type { ClockedSender, SendClock } from './send-clock.ts'
import { writeStamp } from './stamp.ts'

/** What all publishers of a thread did together. */
export class PublishStatistics {
  packets = 0
  /** Packets that were sent more than {@link lateMs} after their time. */
  late = 0

  clear(): void {
    this.packets = 0
    this.late = 0
  }
}

const lateMs = 20

/** Publishers send at the same points of a grid of this width, each with its own offset into it: a frame at 25 fps. */
const gridMs = 40

export interface PublisherOptions {
  readonly url: string
  readonly clip: Clip
  /** Whether to begin anew at the end of the clip. */
  readonly loop: boolean
  /** When it sends, as a part of the time between two frames, 0 .. 1. */
  readonly phase: number
}

export class Publisher implements LoadClient, ClockedSender {
  readonly #options: PublisherOptions
  readonly #clock: SendClock
  readonly #statistics: PublishStatistics
  readonly #events: ClientEvents
  #client: RtmpClient | null = null
  #ended = false
  #done = false
  /** When the clip's time was 0 for the first time, by the monotonic clock. */
  #epochMs = 0
  /** Time of the current round's begin in the stream, in ms. */
  #roundMs = 0
  #nextFrame = 0
  #sequence = 0

  constructor(
    options: PublisherOptions,
    clock: SendClock,
    statistics: PublishStatistics,
    events: ClientEvents,
  ) {
    this.#options = options
    this.#clock = clock
    this.#statistics = statistics
    this.#events = events
  }

  get bytes(): number {
    return this.#client?.bytesSent ?? 0
  }

  /** Whether it has sent all of a clip that is not to be repeated. */
  get done(): boolean {
    return this.#done
  }

  start(): void {
    this.#publish().catch((error: unknown) => this.#fail(error))
  }

  close(): void {
    this.#end()
    this.#client?.close()
  }

  sendDue(nowMs: number): number | null {
    const { clip, loop } = this.#options
    for (;;) {
      const frame = clip.frames[this.#nextFrame]!
      const timeMs = this.#roundMs + frame.packet.timestamp
      const dueMs = this.#epochMs + timeMs
      if (dueMs > nowMs) return dueMs
      if (!this.#send(frame, timeMs)) return null
      if (nowMs - dueMs > lateMs) this.#statistics.late += 1
      this.#nextFrame += 1
      if (this.#nextFrame < clip.frames.length) continue
      if (!loop) {
        this.#done = true
        this.close()
        return null
      }
      this.#nextFrame = 0
      this.#roundMs += clip.durationMs
    }
  }

  async #publish(): Promise<void> {
    const { url, clip, phase } = this.#options
    const client = await RtmpClient.connect(url, {
      timeoutMs: connectTimeoutMs,
      onClose: (error) => this.#fail(error ?? new WeirError('RTMP_CLOSED', 'the server ended the stream')),
    })
    this.#client = client
    if (this.#ended) return client.close()
    await client.publish()
    if (this.#ended) return
    this.#events.onUp()
    for (const packet of clip.headers) client.send(packet)
    this.#epochMs = (Math.ceil(monotonicMs() / gridMs) + phase) * gridMs
    this.#clock.add(this)
  }

  /** @returns false if the connection is lost */
  #send({ packet, stamped }: ClipFrame, timeMs: number): boolean {
    // All publishers share the body: what is sent is copied at once.
    if (stamped) writeStamp(packet.body, this.#sequence++, machineMs())
    try {
      this.#client?.send({ ...packet, timestamp: timeMs % 2 ** 32 })
    } catch (error) {
      this.#fail(error)
      return false
    }
    this.#statistics.packets += 1
    return true
  }

  #fail(error: unknown): void {
    if (this.#ended) return
    this.#end()
    this.#events.onFailure(error instanceof Error ? error : new Error(messageOf(error)))
  }

  #end(): void {
    this.#ended = true
    this.#clock.remove(this)
  }
}
