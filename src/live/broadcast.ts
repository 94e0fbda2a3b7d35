import { monotonicMs } from '../base/clock.ts'
import { isHeader, isKeyFrame, type Packet, videoType } from '../media/packet.ts'
import { type Batch, BatchBuffer } from './batch.ts'
import type { Flushable, FlushClock } from './flush-clock.ts'
import { StreamHeaders } from './stream-headers.ts'
import { defaultFrameMs } from './timestamps.ts'
import type { Viewer } from './viewer.ts'

/** Puts packets into bytes for players: RTMP chunks, FLV tags, MPEG-TS. It must not depend on earlier packets. */
export interface BatchMuxer {
  /** Bytes that {@link write} needs at most. */
  sizeOf(bodyLength: number, timestamp: number): number
  /** Writes the packet at `at` and returns the offset behind it. */
  write(target: Buffer, at: number, packet: Packet, timestamp: number): number
}

export interface BroadcastOptions {
  /** A joiner gets the current GOP (`gop_cache`); else it waits for the next key frame. */
  readonly gopCache: boolean
  /** How far a player may be behind before it loses a part of the stream (`queue_length`), in milliseconds. */
  readonly maxBehindMs: number
  /** Bytes older than the current GOP that are kept for players that are behind. */
  readonly maxBehindBytes: number
  /** The GOP kept for joiners is given up beyond this. */
  readonly gopCacheMaxBytes: number
  /** A player that is behind and makes no progress for this long is stalled, in milliseconds. */
  readonly stallMs: number
}

/**
 * One stream, one format, all its players in this process. Each packet is encoded once; what came since the
 * last flush becomes one {@link Batch}, and those bytes are written to every player. Nothing is allocated per
 * player and packet.
 */
export class Broadcast implements Flushable {
  readonly #muxer: BatchMuxer
  readonly #clock: FlushClock
  readonly #headers = new StreamHeaders()
  readonly #buffer = new BatchBuffer()
  readonly #inStep: Viewer[] = []
  readonly #behind = new Set<Viewer>()
  #options: BroadcastOptions
  #scheduled = false
  #hasVideo = false
  /** What the batch in the making begins with. */
  #batchJoinable = false
  #batchTimestamp = 0
  /** The first batch of the current GOP, if a player may begin there. */
  #gopStart: Batch | null = null
  #last: Batch | null = null
  /** Added to timestamps of the present source so that time never goes back for the players that stay. */
  #offset = 0
  #lastTimestamp = 0
  #rebase = false
  #headerBytes: Buffer | null = null
  #headerTimestamp = 0
  packetsIn = 0
  bytesOut = 0

  constructor(muxer: BatchMuxer, clock: FlushClock, options: BroadcastOptions) {
    this.#muxer = muxer
    this.#clock = clock
    this.#options = options
  }

  get viewers(): number {
    return this.#inStep.length + this.#behind.size
  }

  get headers(): StreamHeaders {
    return this.#headers
  }

  /** Applies changed settings to the running stream (reload). */
  set options(options: BroadcastOptions) {
    this.#options = options
    if (!options.gopCache) this.#gopStart = null
  }

  /** A publisher begins: cached frames of the one before are stale, players wait in step for its key frame. */
  restart(): void {
    this.#cut()
    this.#headers.clear()
    this.#headerBytes = null
    this.#gopStart = null
    this.#hasVideo = false
    this.#rebase = this.#last !== null
  }

  /** The publisher left: what came is written, and nobody joins with a picture of the past. */
  idle(): void {
    this.#cut()
    this.#gopStart = null
  }

  /** Takes the next packet. Its body is encoded at once and not kept, unless it is a header. */
  push(packet: Packet): void {
    this.packetsIn += 1
    const header = isHeader(packet)
    const key = isKeyFrame(packet)
    if (header) this.#keepHeader(packet)
    else if (packet.type === videoType) this.#hasVideo = true
    if (key) this.#cut()
    const timestamp = header ? this.#lastTimestamp : this.#rebased(packet.timestamp)
    if (this.#buffer.length === 0) {
      this.#batchJoinable = key || !this.#hasVideo
      this.#batchTimestamp = timestamp
    }
    const target = this.#buffer.reserve(this.#muxer.sizeOf(packet.body.length, timestamp))
    this.#buffer.advance(this.#muxer.write(target, this.#buffer.length, packet, timestamp))
    if (!this.#scheduled) {
      this.#scheduled = true
      this.#clock.schedule(this)
    }
  }

  /** The clock's tick. */
  flush(): void {
    this.#scheduled = false
    this.#cut()
  }

  /** Ends the batch in the making and writes it to every player: at a tick, and before each key frame. */
  #cut(): void {
    if (this.#buffer.length === 0) return
    const batch = this.#takeBatch()
    this.#writeToAllInStep(batch)
    if (this.#behind.size > 0) this.#queueForThoseBehind(batch)
  }

  /** Adds a player: headers and the cached GOP at once (as fast as it reads), then in step with the others. */
  join(viewer: Viewer): void {
    viewer.next = this.#options.gopCache ? this.#gopStart : null
    viewer.waiting = viewer.next === null
    viewer.sent = -1
    viewer.progressAt = monotonicMs()
    const headers = this.#headersAt(viewer.next?.timestamp ?? this.#lastTimestamp)
    if (headers.length > 0) viewer.socket.write(headers)
    this.#behind.add(viewer)
    this.#advance(viewer)
  }

  leave(viewer: Viewer): void {
    this.#behind.delete(viewer)
    viewer.next = null
    this.#removeInStep(viewer)
  }

  /** To be called when a player's socket has drained: it gets what it missed, as fast as it reads. */
  onDrain(viewer: Viewer): void {
    if (!this.#behind.has(viewer)) return
    viewer.progressAt = monotonicMs()
    if (viewer.waiting && this.#gopStart !== null && this.#gopStart.sequence > viewer.sent) {
      this.#resumeAt(viewer, this.#gopStart)
    }
    this.#advance(viewer)
  }

  /** Tells viewers that are stalled. To be called about once a second. */
  sweep(nowMs: number): void {
    for (const viewer of this.#behind) {
      const stalled = viewer.socket.writableNeedDrain && nowMs - viewer.progressAt > this.#options.stallMs
      if (stalled) viewer.onStalled()
    }
  }

  #takeBatch(): Batch {
    const bytes = this.#buffer.take()
    const batch: Batch = {
      bytes,
      joinable: this.#batchJoinable,
      timestamp: this.#batchTimestamp,
      sequence: (this.#last?.sequence ?? -1) + 1,
      position: (this.#last?.position ?? 0) + bytes.length,
      next: null,
    }
    if (this.#last !== null) this.#last.next = batch
    this.#last = batch
    this.#keepGop(batch)
    return batch
  }

  #keepGop(batch: Batch): void {
    if (!this.#options.gopCache || !this.#hasVideo) this.#gopStart = null
    else if (batch.joinable) this.#gopStart = batch
    else if (this.#gopStart !== null) {
      const bytes = batch.position - this.#gopStart.position + this.#gopStart.bytes.length
      const duration = batch.timestamp - this.#gopStart.timestamp
      if (bytes > this.#options.gopCacheMaxBytes || duration > this.#options.maxBehindMs)
        this.#gopStart = null
    }
  }

  #writeToAllInStep(batch: Batch): void {
    const { bytes, sequence } = batch
    const viewers = this.#inStep
    this.bytesOut += bytes.length * viewers.length
    // From the end: a viewer that falls behind leaves the list by swapping with the last.
    for (let index = viewers.length - 1; index >= 0; index -= 1) {
      const viewer = viewers[index]!
      viewer.sent = sequence
      if (!viewer.socket.write(bytes)) this.#fallBehind(viewer)
    }
  }

  #fallBehind(viewer: Viewer): void {
    this.#removeInStep(viewer)
    viewer.progressAt = monotonicMs()
    viewer.next = null
    viewer.waiting = false
    this.#behind.add(viewer)
  }

  #queueForThoseBehind(batch: Batch): void {
    for (const viewer of this.#behind) {
      // Got it a moment ago, in step, and fell behind with it.
      if (viewer.sent === batch.sequence) continue
      if (viewer.waiting) {
        if (batch.joinable) this.#resumeAt(viewer, batch)
        else viewer.dropped += 1
      } else if (viewer.next === null) {
        viewer.next = batch
      } else if (this.#isTooFarBehind(viewer.next, batch)) {
        viewer.dropped += batch.sequence - viewer.next.sequence
        if (this.#gopStart !== null && this.#gopStart.sequence > viewer.next.sequence) {
          viewer.next = this.#gopStart
        } else {
          viewer.next = null
          viewer.waiting = true
        }
      }
      if (!viewer.socket.writableNeedDrain) this.#advance(viewer)
    }
  }

  #isTooFarBehind(next: Batch, newest: Batch): boolean {
    const behindMs = newest.timestamp - next.timestamp
    // The current GOP is kept for joiners anyway; only what is older is kept for the sake of those behind.
    const heldBytes = (this.#gopStart ?? newest).position - next.position
    return behindMs > this.#options.maxBehindMs || heldBytes > this.#options.maxBehindBytes
  }

  #resumeAt(viewer: Viewer, batch: Batch): void {
    viewer.next = batch
    viewer.waiting = false
  }

  /** Writes what a viewer lacks until its socket is full or it is in step. */
  #advance(viewer: Viewer): void {
    while (viewer.next !== null && !viewer.socket.writableNeedDrain) {
      const batch: Batch = viewer.next
      viewer.next = batch.next
      viewer.sent = batch.sequence
      this.bytesOut += batch.bytes.length
      viewer.socket.write(batch.bytes)
    }
    if (viewer.next === null && !viewer.waiting && !viewer.socket.writableNeedDrain) {
      this.#behind.delete(viewer)
      viewer.index = this.#inStep.length
      this.#inStep.push(viewer)
    }
  }

  #removeInStep(viewer: Viewer): void {
    if (viewer.index < 0) return
    const last = this.#inStep.pop()!
    if (last !== viewer) {
      this.#inStep[viewer.index] = last
      last.index = viewer.index
    }
    viewer.index = -1
  }

  /** Time goes on for the players when another source takes over, wherever that one's clock stands. */
  #rebased(timestamp: number): number {
    if (this.#rebase) {
      this.#rebase = false
      const isBack = timestamp + this.#offset < this.#lastTimestamp
      if (isBack) this.#offset = this.#lastTimestamp + defaultFrameMs - timestamp
    }
    this.#lastTimestamp = (timestamp + this.#offset) >>> 0
    return this.#lastTimestamp
  }

  #keepHeader(packet: Packet): void {
    // The packet's body is a view of a buffer that is read into again.
    this.#headers.keep({ ...packet, body: Buffer.from(packet.body) })
    this.#headerBytes = null
  }

  /** The encoded headers for joiners, made once per change and join time: joiners of one GOP share them. */
  #headersAt(timestamp: number): Buffer {
    if (this.#headerBytes === null || this.#headerTimestamp !== timestamp) {
      const buffer = new BatchBuffer()
      for (const packet of this.#headers.list()) {
        const target = buffer.reserve(this.#muxer.sizeOf(packet.body.length, timestamp))
        buffer.advance(this.#muxer.write(target, buffer.length, packet, timestamp))
      }
      this.#headerBytes = buffer.take()
      this.#headerTimestamp = timestamp
    }
    return this.#headerBytes
  }
}
