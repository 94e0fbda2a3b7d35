import { noteDropped } from '../base/external-memory.ts'
import { dataType, isHeader, isKeyFrame, type Packet } from '../media/packet.ts'
import { timestampDelta } from './timestamps.ts'

/** Bounds of a GOP cache; both hold. */
export interface GopCacheLimits {
  /** `queue_length`, in milliseconds of stream time. */
  readonly maxDurationMs: number
  /** `gop_cache_max_bytes`. */
  readonly maxBytes: number
}

/**
 * The packets since the last key frame, for who joins now. A stream without video never fills it, a publisher
 * that never sends another key frame empties it: past its bounds the cache is given up until the next key frame.
 */
export class GopCache {
  #packets: Packet[] = []
  #bytes = 0
  #limits: GopCacheLimits

  constructor(limits: GopCacheLimits) {
    this.#limits = limits
  }

  set limits(limits: GopCacheLimits) {
    this.#limits = limits
  }

  get packets(): readonly Packet[] {
    return this.#packets
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Takes the stream's next packet: frames, and the headers that change between them. */
  add(packet: Packet): void {
    if (isKeyFrame(packet)) this.clear()
    else if (this.#packets.length === 0) return
    if (packet.type === dataType && !isHeader(packet)) return
    this.#packets.push(packet)
    this.#bytes += packet.body.length
    const durationMs = timestampDelta(packet.timestamp, this.#packets[0]!.timestamp)
    if (this.#bytes > this.#limits.maxBytes || durationMs > this.#limits.maxDurationMs) this.clear()
  }

  clear(): void {
    const dropped = this.#bytes
    this.#packets = []
    this.#bytes = 0
    noteDropped(dropped)
  }
}
