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

/** What a stream tells whoever keeps it. */
export interface PulledStreamOwner {
  /** A player joined. */
  onBusy(): void
  /** The last player left. */
  onIdle(): void
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
  #clock: FlushClock
  readonly #broadcasts = new Map<string, Broadcast>()
  #options: BroadcastOptions
  subscription: Subscription | null = null
  readonly #owner: PulledStreamOwner
  /** Monotonic time since when there are no players, if there are none. */
  idleSinceMs = 0
  bytesIn = 0
  packetsIn = 0
  /** What went out in framings that were given up. */
  #bytesOutBefore = 0

  constructor(stream: StreamId, clock: FlushClock, options: BroadcastOptions, owner: PulledStreamOwner) {
    this.stream = stream
    this.#clock = clock
    this.#options = options
    this.#owner = owner
  }

  set options(options: BroadcastOptions) {
    this.#options = options
    for (const broadcast of this.#broadcasts.values()) broadcast.options = options
  }

  /** When its players are written to; holds at once. */
  set clock(clock: FlushClock) {
    this.#clock = clock
    for (const broadcast of this.#broadcasts.values()) broadcast.clock = clock
  }

  get players(): number {
    let players = 0
    for (const broadcast of this.#broadcasts.values()) players += broadcast.viewers
    return players
  }

  get bytesOut(): number {
    let bytes = this.#bytesOutBefore
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
    this.#owner.onBusy()
    return broadcast
  }

  /** A framing that nobody plays any more is given up, but for the last one: its GOP is for who comes next. */
  leave(broadcast: Broadcast, viewer: Viewer): void {
    broadcast.leave(viewer)
    if (broadcast.viewers === 0 && this.#broadcasts.size > 1) this.#giveUp(broadcast)
    if (this.players === 0) this.#owner.onIdle()
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

  #giveUp(broadcast: Broadcast): void {
    this.#bytesOutBefore += broadcast.bytesOut
    for (const [key, candidate] of this.#broadcasts) {
      if (candidate === broadcast) this.#broadcasts.delete(key)
    }
  }
}
