import { monotonicMs } from '../base/clock.ts'
import { isHeader, isKeyFrame, type Packet } from '../media/packet.ts'
import { type Batch, BatchBuffer } from './batch.ts'
import type { Flushable, FlushClock } from './flush-clock.ts'
import { StreamHeaders } from './stream-headers.ts'
import { defaultFrameMs, timestampDelta } from './timestamps.ts'
import { VideoPresence } from './video-presence.ts'
import type { Viewer } from './viewer.ts'

/**
 * Puts packets into bytes for players: RTMP chunks, FLV tags, MPEG-TS. Who begins at a batch gets the headers in force
 * there before it, and needs nothing else of what came earlier.
 */
export interface BatchMuxer {
  /** Its batches need no headers in front: it has its own, or none. */
  readonly selfContained?: boolean
  /** Bytes that {@link write} needs at most. */
  sizeOf(bodyLength: number, timestamp: number): number
  /** Writes the packet at `at` and returns the offset behind it. */
  write(target: Buffer, at: number, packet: Packet, timestamp: number): number
  /** A publisher begins. */
  restart?(): void
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
  /** How much of a stream without video a joiner gets at once (`fast_cache`), in milliseconds; none if absent. */
  readonly audioCacheMs?: number
}

const nothing = Buffer.alloc(0)

/** A batch is cut beyond this: a slow player's progress shows from batch to batch. */
const maxBatchBytes = 256 * 1024

/** What is known of a batch that is not written yet. */
interface OpenBatch extends Pick<Batch, 'timestamp' | 'headers'> {
  readonly startsWithKey: boolean
  /** It has more than headers: with them alone nobody begins. */
  hasMedia: boolean
  /** The stream had video when a packet of it came. */
  hasVideo: boolean
  /** Where it ends in the buffer; it begins where the one before it ends. */
  end: number
}

/**
 * One stream, one format, all its players in this process. Each packet is encoded once; what came since the
 * last flush becomes one {@link Batch}, and those bytes are written to every player. Nothing is allocated per
 * player and packet.
 */
export class Broadcast implements Flushable {
  readonly #muxer: BatchMuxer
  #clock: FlushClock
  readonly #headers = new StreamHeaders()
  readonly #buffer = new BatchBuffer()
  readonly #inStep: Viewer[] = []
  readonly #behind = new Set<Viewer>()
  #options: BroadcastOptions
  #scheduled = false
  #cutPending = false
  readonly #video = new VideoPresence()
  #open: OpenBatch = newBatch(false, 0, [])
  /** Batches that are complete and wait to be written, with the next one: a key frame costs no write of its own. */
  #sealed: OpenBatch[] = []
  /** The first batch of the current GOP, if a player may begin there. */
  #gopStart: Batch | null = null
  #last: Batch | null = null
  /** Added to timestamps of the present source so that time never goes back for the players that stay. */
  #offset = 0
  #lastTimestamp = 0
  #rebase = false
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

  /** Flushes when another clock ticks (reload). What waits already leaves at the first tick of either. */
  set clock(clock: FlushClock) {
    if (clock === this.#clock) return
    this.#clock = clock
    if (this.#scheduled) clock.schedule(this)
  }

  /** A publisher begins: cached frames of the one before are stale, players wait in step for its key frame. */
  restart(): void {
    this.#cut()
    this.#headers.clear()
    this.#gopStart = null
    this.#video.clear()
    this.#muxer.restart?.()
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
    if (key) this.#seal()
    const timestamp = header ? this.#lastTimestamp : this.#rebased(packet.timestamp)
    if (this.#buffer.length === this.#sealedBytes) this.#open = newBatch(key, timestamp, this.#headers.list())
    this.#video.note(packet, timestamp, this.#options.maxBehindMs)
    this.#open.hasMedia ||= !header
    this.#open.hasVideo ||= this.#video.present
    // The packet's body is a view of a buffer that is read into again.
    if (header) this.#headers.keep({ ...packet, body: Buffer.from(packet.body) })
    const target = this.#buffer.reserve(this.#muxer.sizeOf(packet.body.length, timestamp))
    this.#buffer.advance(this.#muxer.write(target, this.#buffer.length, packet, timestamp))
    if (!this.#scheduled) {
      this.#scheduled = true
      this.#clock.schedule(this)
    }
    if (this.#buffer.length > maxBatchBytes) this.#cut()
    if (key && this.#someoneWaits()) this.#cutSoon()
  }

  /** The clock's tick. */
  flush(): void {
    this.#scheduled = false
    this.#cut()
  }

  #someoneWaits(): boolean {
    for (const viewer of this.#behind) if (viewer.waiting) return true
    return false
  }

  /** Who waits for a picture gets it at the end of this event-loop turn; merging is for those who have one. */
  #cutSoon(): void {
    if (this.#cutPending) return
    this.#cutPending = true
    setImmediate(() => {
      this.#cutPending = false
      this.#cut()
    })
  }

  get #sealedBytes(): number {
    return this.#sealed.at(-1)?.end ?? 0
  }

  /** Ends the batch in the making: players can begin at the next one. */
  #seal(): void {
    if (this.#buffer.length === this.#sealedBytes) return
    this.#open.end = this.#buffer.length
    this.#sealed.push(this.#open)
  }

  /** Ends the batch in the making and writes all there is to every player, at once. */
  #cut(): void {
    this.#seal()
    if (this.#sealed.length === 0) return
    const bytes = this.#buffer.take()
    let start = 0
    const batches = this.#sealed.map((open) => {
      const own = open.end - start === bytes.length ? bytes : bytes.subarray(start, open.end)
      start = open.end
      return this.#addBatch(open, own)
    })
    this.#sealed = []
    this.#writeToAllInStep(bytes, this.#last!.sequence)
    if (this.#behind.size > 0) for (const batch of batches) this.#queueForThoseBehind(batch)
  }

  /** Adds a player: headers and the cached GOP at once (as fast as it reads), then in step with the others. */
  join(viewer: Viewer): void {
    viewer.sent = -1
    viewer.progressAt = monotonicMs()
    this.#beginAt(viewer, this.#gopStart)
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
    this.#advance(viewer)
  }

  /** Removes and tells viewers that are stalled. To be called about once a second. */
  sweep(nowMs: number): void {
    for (const viewer of this.#behind) {
      const stalled = viewer.socket.writableNeedDrain && nowMs - viewer.progressAt > this.#options.stallMs
      if (!stalled) continue
      this.leave(viewer)
      viewer.onStalled()
    }
  }

  #addBatch({ startsWithKey, hasMedia, hasVideo, timestamp, headers }: OpenBatch, bytes: Buffer): Batch {
    const batch: Batch = {
      bytes,
      joinable: startsWithKey || (hasMedia && !hasVideo),
      timestamp,
      sequence: (this.#last?.sequence ?? -1) + 1,
      position: this.#last === null ? 0 : endOf(this.#last),
      headers,
      headerBytes: null,
      next: null,
    }
    if (this.#last !== null) this.#last.next = batch
    this.#last = batch
    this.#keepGop(batch)
    return batch
  }

  #keepGop(batch: Batch): void {
    const { gopCache, gopCacheMaxBytes, maxBehindMs } = this.#options
    if (!this.#video.present) {
      this.#gopStart = this.#audioStart(batch)
      return
    }
    if (!gopCache) this.#gopStart = null
    else if (batch.joinable) this.#gopStart = batch
    if (this.#gopStart === null) return
    const bytes = endOf(batch) - this.#gopStart.position
    const durationMs = timestampDelta(batch.timestamp, this.#gopStart.timestamp)
    if (bytes > gopCacheMaxBytes || durationMs > maxBehindMs) this.#gopStart = null
  }

  /** Where a joiner of a stream without video begins: at least so much before the newest batch; null: at the next. */
  #audioStart(newest: Batch): Batch | null {
    const { audioCacheMs = 0, gopCacheMaxBytes } = this.#options
    if (audioCacheMs === 0) return null
    let start = this.#gopStart ?? newest
    while (start.next !== null) {
      const isEnough = timestampDelta(newest.timestamp, start.next.timestamp) >= audioCacheMs
      if (!isEnough && endOf(newest) - start.position <= gopCacheMaxBytes) break
      start = start.next
    }
    return start
  }

  #writeToAllInStep(bytes: Buffer, sequence: number): void {
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
      // Got it a moment ago: in step, and fell behind with it; or with the batch before it.
      if (viewer.sent >= batch.sequence) continue
      if (viewer.waiting) {
        if (batch.joinable) this.#beginAt(viewer, batch)
      } else if (viewer.next === null) {
        viewer.next = batch
      } else if (this.#isTooFarBehind(viewer.next, batch)) {
        this.#beginAt(viewer, this.#newestEntry(viewer.next, batch))
      }
      if (!viewer.socket.writableNeedDrain) this.#advance(viewer)
    }
  }

  #isTooFarBehind(next: Batch, newest: Batch): boolean {
    const behindMs = timestampDelta(newest.timestamp, next.timestamp)
    // The current GOP is kept for joiners anyway; only what is older is kept for the sake of those behind.
    const heldBytes = (this.#gopStart?.position ?? endOf(newest)) - next.position
    return behindMs > this.#options.maxBehindMs || heldBytes > this.#options.maxBehindBytes
  }

  /** Where a viewer may go on that does not get `next`; null: nowhere yet. */
  #newestEntry(next: Batch, newest: Batch): Batch | null {
    if (this.#gopStart !== null && this.#gopStart.sequence > next.sequence) return this.#gopStart
    return newest.joinable ? newest : null
  }

  /** Lets a viewer begin at a batch, with the headers in force there; null: it waits for one. */
  #beginAt(viewer: Viewer, batch: Batch | null): void {
    viewer.next = batch
    viewer.waiting = batch === null
    viewer.needsHeaders = true
  }

  /** Writes what a viewer lacks until its socket is full or it is in step. */
  #advance(viewer: Viewer): void {
    while (viewer.next !== null && !viewer.socket.writableNeedDrain) {
      const batch: Batch = viewer.next
      if (viewer.needsHeaders) {
        viewer.needsHeaders = false
        this.#write(viewer, this.#headersOf(batch))
      } else {
        if (viewer.sent >= 0) viewer.dropped += batch.sequence - viewer.sent - 1
        viewer.sent = batch.sequence
        viewer.next = batch.next
        this.#write(viewer, batch.bytes)
      }
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
      const isBack = timestampDelta(timestamp + this.#offset, this.#lastTimestamp) < 0
      if (isBack) this.#offset = this.#lastTimestamp + defaultFrameMs - timestamp
    }
    this.#lastTimestamp = (timestamp + this.#offset) >>> 0
    return this.#lastTimestamp
  }

  /** The encoded headers for those who begin at a batch; all of them share the bytes. */
  #headersOf(batch: Batch): Buffer {
    if (this.#muxer.selfContained) return nothing
    if (batch.headerBytes !== null) return batch.headerBytes
    const { headers, timestamp } = batch
    const size = headers.reduce((sum, { body }) => sum + this.#muxer.sizeOf(body.length, timestamp), 0)
    const bytes = Buffer.allocUnsafeSlow(size)
    let end = 0
    for (const packet of headers) end = this.#muxer.write(bytes, end, packet, timestamp)
    batch.headerBytes = bytes.subarray(0, end)
    return batch.headerBytes
  }

  #write(viewer: Viewer, bytes: Buffer): void {
    if (bytes.length === 0) return
    this.bytesOut += bytes.length
    viewer.socket.write(bytes)
  }
}

function newBatch(startsWithKey: boolean, timestamp: number, headers: readonly Packet[]): OpenBatch {
  return { startsWithKey, timestamp, headers, hasMedia: false, hasVideo: false, end: 0 }
}

function endOf(batch: Batch): number {
  return batch.position + batch.bytes.length
}
