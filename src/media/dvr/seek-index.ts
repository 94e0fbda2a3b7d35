/** A place in a file where decoding can begin. */
export interface SeekPoint {
  /** Offset in the file. */
  readonly at: number
  readonly timeMs: number
}

/**
 * Where the key frames of a growing file are. It has room for so many: when it is full every other one is forgotten,
 * and from then on every other one is noted, so that the whole file stays covered.
 */
export class SeekIndex {
  readonly #capacity: number
  #points: readonly SeekPoint[]
  /** One of so many key frames is noted. */
  #stride = 1
  #seen = 0

  /** @param points of the file that it goes on with */
  constructor(capacity: number, points: readonly SeekPoint[] = []) {
    this.#capacity = Math.max(2, capacity)
    this.#points = points
    this.#thin()
  }

  get points(): readonly SeekPoint[] {
    return this.#points
  }

  add(point: SeekPoint): void {
    this.#seen += 1
    if ((this.#seen - 1) % this.#stride !== 0) return
    this.#points = [...this.#points, point]
    this.#thin()
  }

  #thin(): void {
    while (this.#points.length > this.#capacity) {
      this.#points = halved(this.#points)
      this.#stride *= 2
      this.#seen = 0
    }
  }
}

/** Every other point, from the first one on. */
export function halved(points: readonly SeekPoint[]): SeekPoint[] {
  return points.filter((_, index) => index % 2 === 0)
}
