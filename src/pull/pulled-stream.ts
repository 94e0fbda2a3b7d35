import { monotonicMs } from '../base/clock.ts'
import type { SourceNumber, StreamId } from '../ipc/contract.ts'
import type { MediaClient } from '../ipc/media-client.ts'
import { type BatchMuxer, Broadcast, type BroadcastOptions } from '../live/broadcast.ts'
import type { FlushClock } from '../live/flush-clock.ts'
import type { Viewer } from '../live/viewer.ts'
import { audioType, codecName, type Packet, videoType } from '../media/packet.ts'

/** How a stream's packets become a player's bytes. Players of one format share their bytes. */
export interface StreamFormat {
  /** Formats of one key make the same bytes. */
  readonly key: string
  createMuxer(): BatchMuxer
  /** Whether it has a place for a packet; for all, if absent. */
  takes?(packet: Packet): boolean
  /** How much of it a player gets at once where there is no video, in milliseconds; none if absent. */
  readonly audioCacheMs?: number
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

/** What has come of a publish so far: the codecs, null where nothing has. */
export interface StreamContent {
  readonly audio: string | null
  readonly video: string | null
}

const nothing: StreamContent = { audio: null, video: null }

/** A format that is played, and its broadcast. */
interface Entry {
  readonly format: StreamFormat
  readonly broadcast: Broadcast
  /** It gets the cached past first, which the back-source sends again. */
  catchingUp: boolean
}

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
  #clock: FlushClock
  readonly #entries = new Map<string, Entry>()
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
    for (const { format, broadcast } of this.#entries.values()) {
      broadcast.options = optionsFor(format, options)
    }
  }

  /** When its players are written to; holds at once. */
  set clock(clock: FlushClock) {
    this.#clock = clock
    for (const { broadcast } of this.#entries.values()) broadcast.clock = clock
  }

  get players(): number {
    let players = 0
    for (const { broadcast } of this.#entries.values()) players += broadcast.viewers
    return players
  }

  get bytesOut(): number {
    let bytes = this.#bytesOutBefore
    for (const { broadcast } of this.#entries.values()) bytes += broadcast.bytesOut
    return bytes
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
    if (broadcast.viewers === 0 && this.#entries.size > 1) this.#giveUp(broadcast)
    this.#tellIfIdle()
  }

  /** A publisher begins. */
  restart(): void {
    // What was to be caught up with is over; all begin with this publish.
    this.#replaying = false
    for (const entry of this.#entries.values()) {
      entry.catchingUp = false
      entry.broadcast.restart()
    }
    this.#change('live', nothing)
  }

  /** Nobody publishes it at the moment, or its back-source is gone, perhaps while it sent the past again. */
  idle(): void {
    this.#replaying = false
    for (const { broadcast } of this.#entries.values()) broadcast.idle()
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
    for (const entry of this.#entries.values()) entry.catchingUp = false
  }

  push(packet: Packet): void {
    if (!this.#replaying) {
      this.bytesIn += packet.body.length
      this.packetsIn += 1
      this.#noteContent(packet)
    }
    for (const { format, broadcast, catchingUp } of this.#entries.values()) {
      const isNext = catchingUp === this.#replaying
      if (isNext && (format.takes === undefined || format.takes(packet))) broadcast.push(packet)
    }
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    this.#replays = 0
    for (const { broadcast } of this.#entries.values()) broadcast.sweep(nowMs)
  }

  /**
   * The broadcast of a format. A further one of a stream that is live gets the cached past from the back-source;
   * until then it has nothing to begin with.
   */
  #broadcastFor(format: StreamFormat): Broadcast {
    const known = this.#entries.get(format.key)
    if (known !== undefined) return known.broadcast
    const options = optionsFor(format, this.#options)
    const broadcast = new Broadcast(format.createMuxer(), this.#clock, options)
    const entry: Entry = { format, broadcast, catchingUp: false }
    this.#catchUp(entry)
    this.#entries.set(format.key, entry)
    return broadcast
  }

  #catchUp(entry: Entry): void {
    if (this.subscription === null || this.#presence !== 'live') return
    if (this.#replays >= maxReplaysPerSweep) {
      const [other] = this.#entries.values()
      for (const packet of other?.broadcast.headers.list() ?? []) entry.broadcast.push(packet)
      return
    }
    this.#replays += 1
    entry.catchingUp = true
    const { link, source } = this.subscription
    link.send({ t: 'replay', source })
  }

  #noteContent({ type, body }: Packet): void {
    const kind = type === videoType ? 'video' : type === audioType ? 'audio' : null
    if (kind === null || this.#content[kind] !== null) return
    const codec = codecName(type, body)
    if (codec !== null) this.#change(this.#presence, { ...this.#content, [kind]: codec })
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
    this.#bytesOutBefore += broadcast.bytesOut
    for (const [key, entry] of this.#entries) {
      if (entry.broadcast === broadcast) this.#entries.delete(key)
    }
  }
}

function optionsFor({ audioCacheMs = 0 }: StreamFormat, options: BroadcastOptions): BroadcastOptions {
  return audioCacheMs === 0 ? options : { ...options, audioCacheMs }
}
