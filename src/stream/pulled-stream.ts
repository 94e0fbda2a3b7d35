import type { SourceNumber, StreamId } from '../ipc/contract.ts'
import type { MediaClient } from '../ipc/media-client.ts'
import { Broadcast, type BroadcastOptions } from '../live/broadcast.ts'
import type { FlushClock } from '../live/flush-clock.ts'
import type { Viewer } from '../live/viewer.ts'
import type { Packet } from '../media/packet.ts'
import { RtmpMuxer } from './rtmp-muxer.ts'

/** How players' bytes are framed. Players with the same framing share their bytes; nearly all do. */
export interface Framing {
  readonly chunkSize: number
  readonly streamId: number
}

/** Where the stream comes from at the moment. */
export interface Subscription {
  readonly link: MediaClient
  readonly source: SourceNumber
  readonly sourceId: string
}

/**
 * One stream that this worker pulls for its players. It stays when the source goes and is found again: players
 * wait here.
 */
export class PulledStream {
  readonly stream: StreamId
  readonly #clock: FlushClock
  readonly #broadcasts = new Map<string, Broadcast>()
  #options: BroadcastOptions
  subscription: Subscription | null = null
  /** Monotonic time when the last player left; 0 while there are players. */
  idleSinceMs: number
  bytesIn = 0
  packetsIn = 0

  constructor(stream: StreamId, clock: FlushClock, options: BroadcastOptions, nowMs: number) {
    this.stream = stream
    this.#clock = clock
    this.#options = options
    this.idleSinceMs = nowMs
  }

  set options(options: BroadcastOptions) {
    this.#options = options
    for (const broadcast of this.#broadcasts.values()) broadcast.options = options
  }

  get players(): number {
    let players = 0
    for (const broadcast of this.#broadcasts.values()) players += broadcast.viewers
    return players
  }

  get bytesOut(): number {
    let bytes = 0
    for (const broadcast of this.#broadcasts.values()) bytes += broadcast.bytesOut
    return bytes
  }

  get headers() {
    return this.#broadcasts.values().next().value?.headers ?? null
  }

  /** The broadcast for a framing; a second one begins with the headers of the first and the next key frame. */
  broadcastFor(framing: Framing): Broadcast {
    const key = `${framing.chunkSize}/${framing.streamId}`
    let broadcast = this.#broadcasts.get(key)
    if (broadcast === undefined) {
      broadcast = new Broadcast(
        new RtmpMuxer(framing.chunkSize, framing.streamId),
        this.#clock,
        this.#options,
      )
      for (const packet of this.headers?.list() ?? []) broadcast.push(packet)
      this.#broadcasts.set(key, broadcast)
    }
    return broadcast
  }

  join(framing: Framing, viewer: Viewer): Broadcast {
    const broadcast = this.broadcastFor(framing)
    broadcast.join(viewer)
    this.idleSinceMs = 0
    return broadcast
  }

  leave(broadcast: Broadcast, viewer: Viewer, nowMs: number): void {
    broadcast.leave(viewer)
    if (this.players === 0) this.idleSinceMs = nowMs
  }

  restart(): void {
    for (const broadcast of this.#broadcasts.values()) broadcast.restart()
  }

  idle(): void {
    for (const broadcast of this.#broadcasts.values()) broadcast.idle()
  }

  push(packet: Packet): void {
    this.bytesIn += packet.body.length
    this.packetsIn += 1
    for (const broadcast of this.#broadcasts.values()) broadcast.push(packet)
  }

  sweep(nowMs: number): void {
    for (const broadcast of this.#broadcasts.values()) broadcast.sweep(nowMs)
  }
}
