import { monotonicMs } from '../../base/clock.ts'
import { WeirError } from '../../base/errors.ts'
import type { RtmpClient } from '../../client/rtmp-client.ts'
import { isHeader, isKeyFrame, type Packet, videoType } from '../../media/packet.ts'

/** What waits for one server at most. The bodies are shared with the GOP cache and with whoever else is behind. */
export const maxQueuedBytes = 16 * 1024 * 1024

/** The part of the client that a queue needs. */
export type PacketSink = Pick<RtmpClient, 'send' | 'drained' | 'closed'>

/** What is left out until the next key frame. */
type Skipped = 'nothing' | 'video' | 'everything'

/**
 * Packets between a stream, which never waits, and a server that may be slow. One that is further behind than the
 * queue is long loses what waits, and goes on at the next key frame; headers always get through.
 */
export class RelayQueue {
  #sink: PacketSink | null = null
  #packets: Packet[] = []
  #bytes = 0
  /** The sink is full since then; 0: it is not. */
  #blockedSinceMs = 0
  #skipped: Skipped = 'nothing'
  #hasVideo = false
  #onEmpty: (() => void) | null = null
  dropped = 0

  /** Whether the server takes nothing at the moment. */
  get blocked(): boolean {
    return this.#blockedSinceMs > 0
  }

  /** A connection is there. Its video begins with a key frame, though the stream may be anywhere. */
  open(sink: PacketSink): void {
    this.close()
    this.#sink = sink
    this.restart()
  }

  /** The connection is gone, and what waited for it. */
  close(): void {
    this.#sink = null
    this.#blockedSinceMs = 0
    this.#packets = []
    this.#bytes = 0
    this.#becomeEmpty()
  }

  /** Another publisher. */
  restart(): void {
    this.#skipped = 'video'
    this.#hasVideo = false
  }

  /** @param maxMs the length of the queue, in milliseconds of the stream */
  push(packet: Packet, maxMs: number): void {
    if (this.#sink === null || this.#sink.closed) return
    if (packet.type === videoType) this.#hasVideo = true
    if (!isHeader(packet) && this.#mustSkip(packet)) return
    this.#packets.push(packet)
    this.#bytes += packet.body.length
    if (!this.blocked) this.#pump()
    else if (this.#bytes > maxQueuedBytes || this.#lengthMs(packet) > maxMs) this.#dropAll()
  }

  /** How long the server has taken nothing of what waits, in milliseconds. */
  blockedMs(nowMs: number): number {
    return this.blocked ? nowMs - this.#blockedSinceMs : 0
  }

  /** Resolves when nothing waits any more. */
  emptied(): Promise<void> {
    if (this.#packets.length === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onEmpty = resolve
    })
  }

  #mustSkip(packet: Packet): boolean {
    if (this.#skipped === 'nothing') return false
    if (isKeyFrame(packet) || (this.#skipped === 'everything' && !this.#hasVideo)) {
      this.#skipped = 'nothing'
      return false
    }
    if (this.#skipped === 'everything') this.dropped += 1
    else if (packet.type !== videoType) return false
    return true
  }

  #lengthMs(last: Packet): number {
    // A header may stay when all else was dropped, and tells nothing of how far behind the server is.
    const first = this.#packets.find((packet) => !isHeader(packet))
    return first === undefined ? 0 : last.timestamp - first.timestamp
  }

  #dropAll(): void {
    const kept = this.#packets.filter(isHeader)
    this.dropped += this.#packets.length - kept.length
    this.#packets = kept
    this.#bytes = kept.reduce((sum, { body }) => sum + body.length, 0)
    this.#skipped = 'everything'
  }

  #pump(): void {
    const sink = this.#sink
    let taken = 0
    while (taken < this.#packets.length && sink !== null && !sink.closed && !this.blocked) {
      const packet = this.#packets[taken]!
      taken += 1
      this.#bytes -= packet.body.length
      if (!this.#send(sink, packet)) this.#block(sink)
    }
    this.#packets.splice(0, taken)
    if (this.#packets.length === 0) this.#becomeEmpty()
  }

  /** @returns false if the sink is full now */
  #send(sink: PacketSink, packet: Packet): boolean {
    try {
      return sink.send(packet)
    } catch (error) {
      // What is too long for a message is lost, and the rest goes on. If the client has ended, its owner hears of it.
      if (!(error instanceof WeirError)) throw error
      this.dropped += 1
      return true
    }
  }

  #block(sink: PacketSink): void {
    this.#blockedSinceMs = monotonicMs()
    sink.drained().then(
      () => {
        if (sink !== this.#sink) return
        this.#blockedSinceMs = 0
        this.#pump()
      },
      // The connection has ended: whoever opened it hears why.
      () => {},
    )
  }

  #becomeEmpty(): void {
    this.#onEmpty?.()
    this.#onEmpty = null
  }
}
