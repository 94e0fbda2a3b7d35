/** How times are distributed, in a fixed amount of memory however many there are. */

/** A histogram as plain data, which may go from one thread to another. */
export interface HistogramData {
  /** Values by bucket, see {@link Histogram}. */
  readonly counts: Uint32Array
  readonly count: number
  readonly maxMs: number
}

/**
 * Buckets are exact up to {@link linear} microseconds and then 32 to each power of two, so that a percentile is at
 * most 3 % above the true one. The last bucket ends at 2^31 us (36 minutes) and takes all that is longer.
 */
const subBucketBits = 5
const subBuckets = 2 ** subBucketBits
const linear = 2 * subBuckets
const maxMicros = 2 ** 31 - 1
const bucketCount = bucketOf(maxMicros) + 1

/** Times in milliseconds, kept to the microsecond. */
export class Histogram {
  readonly #counts = new Uint32Array(bucketCount)
  #count = 0
  #maxMs = 0

  /** The sum of histograms, of several threads for instance. */
  static merge(parts: Iterable<HistogramData>): Histogram {
    const sum = new Histogram()
    for (const { counts, count, maxMs } of parts) {
      for (let bucket = 0; bucket < bucketCount; bucket++) sum.#counts[bucket]! += counts[bucket]!
      sum.#count += count
      sum.#maxMs = Math.max(sum.#maxMs, maxMs)
    }
    return sum
  }

  get count(): number {
    return this.#count
  }

  /** 0 if there is no value. */
  get maxMs(): number {
    return this.#maxMs
  }

  /** @param ms below 0 counts as 0 */
  record(ms: number): void {
    const micros = Math.min(Math.max(Math.round(ms * 1000), 0), maxMicros)
    this.#counts[bucketOf(micros)]! += 1
    this.#count += 1
    if (ms > this.#maxMs) this.#maxMs = ms
  }

  /**
   * The time in ms that a share of the values does not exceed; 0 if there is no value.
   * @param share 0 .. 1
   */
  percentile(share: number): number {
    const rank = Math.max(Math.ceil(this.#count * share), 1)
    let seen = 0
    for (let bucket = 0; bucket < bucketCount; bucket++) {
      seen += this.#counts[bucket]!
      if (seen >= rank) return Math.min(lastMicrosOf(bucket) / 1000, this.#maxMs)
    }
    return this.#maxMs
  }

  clear(): void {
    this.#counts.fill(0)
    this.#count = 0
    this.#maxMs = 0
  }

  /** A copy. */
  toData(): HistogramData {
    return { counts: this.#counts.slice(), count: this.#count, maxMs: this.#maxMs }
  }
}

/** @param micros 0 .. 2^31-1 */
function bucketOf(micros: number): number {
  if (micros < linear) return micros
  const shift = 31 - Math.clz32(micros) - subBucketBits
  return shift * subBuckets + (micros >>> shift)
}

/** The longest time of a bucket, in microseconds. */
function lastMicrosOf(bucket: number): number {
  if (bucket < linear) return bucket
  const shift = Math.floor(bucket / subBuckets) - 1
  return (bucket - shift * subBuckets + 1) * 2 ** shift - 1
}
