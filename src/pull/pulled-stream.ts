import { monotonicMs } from '../base/clock.ts'
import type { SourceNumber, StreamId } from '../ipc/contract.ts'
import type { MediaClient } from '../ipc/media-client.ts'
import { type BatchMuxer, Broadcast, type BroadcastOptions } from '../live/broadcast.ts'
import type { FlushClock } from '../live/flush-clock.ts'
import type { Viewer } from '../live/viewer.ts'
import { audioType, type Packet, videoType } from '../media/packet.ts'

/** How a stream's packets become a player's bytes. Players of one format share their bytes. */
export interface StreamFormat {
  /** Formats of one key make the same bytes. */
  readonly key: string
  createMuxer(): BatchMuxer
}

/** What a stream tells whoever keeps it. */
export interface PulledStreamOwner {
  /** Somebody plays it, or waits for it. */
  onBusy(): void
  /** The last of them left. */
  onIdle(): void
}

/** Whether a stream is published: not known yet, yes, or not at the moment. */
export type Presence = 'unknown' | 'live' | 'absent'

/** What has come of a publish so far. */
export interface StreamContent {
  readonly audio: boolean
  readonly video: boolean
}

const nothing: StreamContent = { audio: false, video: false }

/** Formats that may catch up in a second: who comes and goes with ever new ones costs other processes little. */
const maxReplaysPerSweep = 4

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
  /** Of formats that somebody plays only now: they get the cached past first, which the back-source sends again. */
  readonly #catchingUp = new Set<Broadcast>()
  #replaying = false
  /** Since the last sweep. */
  #replays = 0
  readonly #observers = new Set<() => void>()
  #options: BroadcastOptions
  subscription: Subscription | null = null
  readonly #owner: PulledStreamOwner
  #presence: Presence = 'unknown'
  #content = nothing
  /** Monotonic time since when it is not published. */
  #absentSinceMs = monotonicMs()
  /** Monotonic time since when nobody plays it or waits for it, if nobody does. */
  idleSinceMs = 0
  bytesIn = 0
  packetsIn = 0
  /** What went out in formats that were given up. */
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

  get presence(): Presence {
    return this.#presence
  }

  get content(): StreamContent {
    return this.#content
  }

  /** @returns for how long nobody has published the stream, in milliseconds; 0: somebody does */
  absentMs(nowMs: number): number {
    return this.#presence === 'live' ? 0 : nowMs - this.#absentSinceMs
  }

  /**
   * Has a function called whenever {@link presence} or {@link content} change. The stream is kept as long as
   * somebody observes it.
   * @returns what ends that
   */
  observe(onChange: () => void): () => void {
    this.#observers.add(onChange)
    this.#owner.onBusy()
    return () => {
      if (this.#observers.delete(onChange)) this.#tellIfIdle()
    }
  }

  /** Adds a player. One that joins before the stream is there gets it from its beginning. */
  join(format: StreamFormat, viewer: Viewer): Broadcast {
    const broadcast = this.#broadcastFor(format)
    broadcast.join(viewer)
    this.#owner.onBusy()
    return broadcast
  }

  /** A format that nobody plays any more is given up, but for the last one: its GOP is for who comes next. */
  leave(broadcast: Broadcast, viewer: Viewer): void {
    broadcast.leave(viewer)
    if (broadcast.viewers === 0 && this.#broadcasts.size > 1) this.#giveUp(broadcast)
    this.#tellIfIdle()
  }

  /** A publisher begins. */
  restart(): void {
    // What was to be caught up with is over; all begin with this publish.
    this.#catchingUp.clear()
    for (const broadcast of this.#broadcasts.values()) broadcast.restart()
    this.#change('live', nothing)
  }

  /** Nobody publishes it at the moment. */
  idle(): void {
    for (const broadcast of this.#broadcasts.values()) broadcast.idle()
    if (this.#presence !== 'absent') this.#absentSinceMs = monotonicMs()
    this.#change('absent', this.#content)
  }

  /** What is pushed until {@link endReplay} is for the formats that catch up. */
  beginReplay(): void {
    this.#replaying = true
  }

  /** From now on they get what all get. */
  endReplay(): void {
    this.#replaying = false
    this.#catchingUp.clear()
  }

  push(packet: Packet): void {
    if (this.#replaying) {
      for (const broadcast of this.#catchingUp) broadcast.push(packet)
      return
    }
    this.bytesIn += packet.body.length
    this.packetsIn += 1
    if (packet.type === videoType && !this.#content.video) {
      this.#change(this.#presence, { ...this.#content, video: true })
    } else if (packet.type === audioType && !this.#content.audio) {
      this.#change(this.#presence, { ...this.#content, audio: true })
    }
    for (const broadcast of this.#broadcasts.values()) {
      if (this.#catchingUp.size === 0 || !this.#catchingUp.has(broadcast)) broadcast.push(packet)
    }
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    this.#replays = 0
    for (const broadcast of this.#broadcasts.values()) broadcast.sweep(nowMs)
  }

  /**
   * The broadcast of a format. A further one of a stream that is live gets the cached past from the back-source;
   * until then it has nothing to begin with.
   */
  #broadcastFor(format: StreamFormat): Broadcast {
    let broadcast = this.#broadcasts.get(format.key)
    if (broadcast === undefined) {
      broadcast = new Broadcast(format.createMuxer(), this.#clock, this.#options)
      this.#broadcasts.set(format.key, broadcast)
      this.#catchUp(broadcast)
    }
    return broadcast
  }

  #catchUp(broadcast: Broadcast): void {
    if (this.subscription === null || this.#presence !== 'live') return
    if (this.#replays >= maxReplaysPerSweep) {
      for (const packet of this.headers?.list() ?? []) broadcast.push(packet)
      return
    }
    this.#replays += 1
    this.#catchingUp.add(broadcast)
    const { link, source } = this.subscription
    link.send({ t: 'replay', source })
  }

  #change(presence: Presence, content: StreamContent): void {
    this.#presence = presence
    this.#content = content
    for (const onChange of this.#observers) onChange()
  }

  #tellIfIdle(): void {
    if (this.players === 0 && this.#observers.size === 0) this.#owner.onIdle()
  }

  #giveUp(broadcast: Broadcast): void {
    this.#catchingUp.delete(broadcast)
    this.#bytesOutBefore += broadcast.bytesOut
    for (const [key, candidate] of this.#broadcasts) {
      if (candidate === broadcast) this.#broadcasts.delete(key)
    }
  }
}
