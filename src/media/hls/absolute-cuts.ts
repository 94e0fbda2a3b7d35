/** RTMP's timestamps are 31-bit in practice: an absolute one says the time but for multiples of this, in milliseconds. */
const wrapMs = 2 ** 31

/**
 * The time that an absolute timestamp means: of all that it may mean the one nearest to the clock. Servers whose clocks
 * agree by days find the same.
 * @param timestamp milliseconds, as it was sent
 * @param nowMs the wall clock's time, in milliseconds since 1970
 */
export function absoluteMs(timestamp: number, nowMs: number): number {
  const behind = (((nowMs - timestamp) % wrapMs) + wrapMs) % wrapMs
  return nowMs - (behind >= wrapMs / 2 ? behind - wrapMs : behind)
}

/**
 * Where a stream with absolute timestamps is cut: at the first key frame of each period of its time, a period being as
 * long as a segment shall be, and the number of the period is the segment's. Nothing depends on when somebody began to
 * look, so that servers which one encoder feeds have the same segments under the same numbers.
 *
 * Who begins amid a period cannot know what was before, and waits for the next one. And each period needs a
 * key frame: without one its number would be missing, and numbers are counted from there on.
 */
export class AbsoluteCuts {
  readonly #onLost: (reason: string) => void
  /** When the stream began, or went on after a pause; null: it has not. */
  #firstMs: number | null = null
  /** When the running segment began. */
  #startMs: number | null = null
  #isLost = false

  /** @param onLost hears, once for each beginning, why the numbers are not those of other servers */
  constructor(onLost: (reason: string) => void) {
    this.#onLost = onLost
  }

  /** Whether the stream goes on, segment or not. */
  get begun(): boolean {
    return this.#firstMs !== null
  }

  /** The stream pauses, or begins anew. */
  restart(): void {
    this.#firstMs = null
    this.#startMs = null
    this.#isLost = false
  }

  /**
   * Whether the first segment may begin, if the kind of the frame allows it.
   * @param patienceMs after so long without such a frame segments begin anywhere
   */
  mayBegin(timeMs: number, isBeginning: boolean, fragmentMs: number, patienceMs: number): boolean {
    this.#firstMs ??= timeMs
    if (this.#isLost) return true
    if (timeMs - this.#firstMs > patienceMs) {
      this.#lose('no key frame comes that a segment could begin with')
      return true
    }
    return isBeginning && periodOf(timeMs, fragmentMs) > periodOf(this.#firstMs, fragmentMs)
  }

  /** Whether a frame that a segment can begin with begins another one. */
  mustCut(timeMs: number, fragmentMs: number): boolean {
    return this.#startMs !== null && periodOf(timeMs, fragmentMs) > periodOf(this.#startMs, fragmentMs)
  }

  /**
   * A segment begins.
   * @returns its number; null: it is the next one
   */
  begin(timeMs: number, fragmentMs: number): number | null {
    const period = periodOf(timeMs, fragmentMs)
    if (this.#startMs !== null && period !== periodOf(this.#startMs, fragmentMs) + 1) {
      this.#lose('key frames are further apart than hls_fragment')
    }
    this.#startMs = timeMs
    return this.#isLost ? null : period
  }

  #lose(reason: string): void {
    if (!this.#isLost) this.#onLost(reason)
    this.#isLost = true
  }
}

function periodOf(timeMs: number, fragmentMs: number): number {
  return Math.floor(timeMs / fragmentMs)
}
