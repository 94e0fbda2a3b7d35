import { isKeyFrame, type Packet, videoType } from '../packet.ts'
import type { TsTracks } from '../ts/muxer.ts'

/** A frame with its time, counted on where timestamps wrap. */
export interface TimedPacket {
  readonly packet: Packet
  readonly timeMs: number
}

/** What may be waited for. */
export interface OpeningLimits {
  /** Whether a track may come that has not shown itself. */
  readonly video: boolean
  readonly audio: boolean
  /** For how long a key frame is waited for, in milliseconds, before the audio begins alone. */
  readonly keyFrameMs: number
}

/** For how long a track that has not shown itself is waited for: encoders send both headers in the first moments. */
const otherTrackMs = 1000

/** Audio that comes so much before the first key frame is kept: it is loosely interleaved, and belongs to it. */
const audioBeforeKeyMs = 500

/** More is not held, whatever is missing. */
const maxHeldBytes = 8 * 1024 * 1024
const maxHeldPackets = 2000

/**
 * The first moments of a stream, before anything is written of it: its tables have to say which tracks there are,
 * and its video begins with a key frame.
 */
export class Opening {
  #held: TimedPacket[] = []
  #bytes = 0
  #hasKeyFrame = false
  #startMs: number | null = null

  /** Whether anything came. */
  get begun(): boolean {
    return this.#startMs !== null
  }

  /** Takes a frame of one of these tracks. Those that nothing can begin with are dropped. */
  push(packet: Packet, timeMs: number, tracks: TsTracks): void {
    this.#startMs ??= timeMs
    if (!this.#hasKeyFrame && tracks.video !== null) this.#dropBefore(timeMs - audioBeforeKeyMs)
    if (packet.type === videoType) {
      this.#hasKeyFrame ||= isKeyFrame(packet)
      if (!this.#hasKeyFrame) return
    }
    this.#held.push({ packet, timeMs })
    this.#bytes += packet.body.length
  }

  /**
   * Decides what the stream begins with.
   * @param timeMs the time of the newest frame
   * @param tracks what the headers say that there is
   * @returns the tracks, for the frames of {@link take}; null: wait
   */
  decide(timeMs: number, tracks: TsTracks, limits: OpeningLimits): TsTracks | null {
    if (this.#startMs === null) return null
    const waitedMs = timeMs - this.#startMs
    const isFull = this.#bytes > maxHeldBytes || this.#held.length > maxHeldPackets
    const hasWaited = waitedMs >= otherTrackMs || isFull
    if (tracks.video === null) return limits.video && !hasWaited ? null : tracks
    if (this.#hasKeyFrame) return tracks.audio === null && limits.audio && !hasWaited ? null : tracks
    const givesUp = tracks.audio !== null && (waitedMs >= limits.keyFrameMs || isFull)
    return givesUp ? { video: null, audio: tracks.audio } : null
  }

  /** What was held, in order; nothing is afterwards. */
  take(): TimedPacket[] {
    const held = this.#held
    this.clear()
    return held
  }

  clear(): void {
    this.#held = []
    this.#bytes = 0
    this.#hasKeyFrame = false
    this.#startMs = null
  }

  #dropBefore(timeMs: number): void {
    this.#held = this.#held.filter((held) => held.timeMs >= timeMs)
    this.#bytes = this.#held.reduce((sum, { packet }) => sum + packet.body.length, 0)
  }
}
