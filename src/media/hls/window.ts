import type { ExpiredSegment, Playlist, PlaylistSegment } from './playlist.ts'

/** What `hls_window` and its siblings say of a playlist. */
export interface WindowOptions {
  /** The least length of the playlist, once there is so much (`hls_window`). */
  readonly windowMs: number
  /** The target duration in seconds, which a longer segment raises (`hls_fragment` x `hls_td_ratio`). */
  readonly targetDuration: number
  /** Segments that have left the playlist are to be deleted in time (`hls_cleanup`). */
  readonly cleanup: boolean
}

/** The playlist of a stream that nobody knows of, if its first segment is to have that number. */
export function emptyPlaylist(mediaSequence: number): Playlist {
  return { targetDuration: 0, mediaSequence, discontinuitySequence: 0, segments: [], expired: [] }
}

/** A shorter playlist leaves a player nothing to begin with (RFC 8216, 6.3.3). */
const leastSegments = 3

/**
 * The sliding window of a live playlist. Its numbers go on over publishers and processes: it begins with the playlist
 * that one before it left.
 */
export class PlaylistWindow {
  #options: WindowOptions
  #targetDuration = 0
  #mediaSequence: number
  #discontinuitySequence: number
  #segments: PlaylistSegment[]
  #expired: ExpiredSegment[]

  /** @param before what to go on with; null: the stream is new */
  constructor(options: WindowOptions, before: Playlist | null) {
    this.#options = options
    this.#mediaSequence = before?.mediaSequence ?? 0
    this.#discontinuitySequence = before?.discontinuitySequence ?? 0
    this.#segments = [...(before?.segments ?? [])]
    this.#expired = [...(before?.expired ?? [])]
    this.#raiseTarget()
  }

  /** Applies changed settings. The target duration may become lower than it was. */
  set options(options: WindowOptions) {
    this.#options = options
    this.#targetDuration = 0
    this.#raiseTarget()
  }

  /** Number of the segment that {@link add} takes next. */
  get nextSequence(): number {
    return this.#mediaSequence + this.#segments.length
  }

  get playlist(): Playlist {
    return {
      targetDuration: this.#targetDuration,
      mediaSequence: this.#mediaSequence,
      discontinuitySequence: this.#discontinuitySequence,
      segments: this.#segments,
      expired: this.#expired,
    }
  }

  /**
   * Adds a segment at the end; what is older than the window leaves it, and so does everything where numbers are missing.
   * @param sequence its number: the next one, or a later one
   * @returns what nobody asks for any more: it may be deleted
   */
  add(segment: PlaylistSegment, sequence = this.nextSequence): ExpiredSegment[] {
    // A stream that begins does not go on from anything.
    const discontinuity = segment.discontinuity && this.nextSequence > 0
    if (sequence > this.nextSequence) {
      while (this.#segments.length > 0) this.#expire()
      this.#mediaSequence = sequence
    }
    this.#segments.push({ ...segment, discontinuity })
    this.#raiseTarget()
    const { windowMs } = this.#options
    while (this.#segments.length > leastSegments && lengthOf(this.#segments.slice(1)) >= windowMs)
      this.#expire()
    return this.#takeDead()
  }

  /**
   * Empties the playlist. Its numbers go on.
   * @returns everything that was in it and before it
   */
  clear(): ExpiredSegment[] {
    while (this.#segments.length > 0) this.#expire()
    return this.#expired.splice(0)
  }

  #expire(): void {
    const segment = this.#segments.shift()
    if (segment === undefined) return
    this.#mediaSequence += 1
    if (segment.discontinuity) this.#discontinuitySequence += 1
    const { uri, durationMs, key } = segment
    this.#expired.push({ uri, durationMs, keyUri: key?.uri ?? null })
  }

  /** A player may have a playlist as old as the window, and read it to its end (RFC 8216, 6.2.2). */
  #takeDead(): ExpiredSegment[] {
    if (!this.#options.cleanup) {
      this.#expired = []
      return []
    }
    const dead: ExpiredSegment[] = []
    while (this.#expired.length > 0 && lengthOf(this.#expired.slice(1)) >= this.#options.windowMs) {
      dead.push(this.#expired.shift()!)
    }
    return dead
  }

  #raiseTarget(): void {
    const longest = Math.max(0, ...this.#segments.map(({ durationMs }) => durationMs))
    this.#targetDuration = Math.max(
      this.#targetDuration,
      Math.ceil(this.#options.targetDuration),
      Math.ceil(longest / 1000),
      1,
    )
  }
}

function lengthOf(segments: readonly { readonly durationMs: number }[]): number {
  return segments.reduce((sum, { durationMs }) => sum + durationMs, 0)
}
