/** Bytes that lie in several buffers, in order: what a PES packet is made of, without bringing it together first. */
export class Pieces {
  readonly #buffers: Buffer[] = []
  readonly #starts: number[] = []
  readonly #ends: number[] = []
  #count = 0
  #bytes = 0
  /** Where {@link copyTo} goes on. */
  #next = 0
  #offset = 0

  /** All bytes, whether they were copied or not. */
  get bytes(): number {
    return this.#bytes
  }

  /** Adds the bytes of a buffer from `start` up to `end`. The buffer is kept until {@link clear}. */
  add(buffer: Buffer, start: number, end: number): void {
    if (end <= start) return
    this.#buffers[this.#count] = buffer
    this.#starts[this.#count] = start
    this.#ends[this.#count] = end
    this.#count += 1
    this.#bytes += end - start
  }

  /** Copies the next `count` bytes, of which there are as many left. */
  copyTo(target: Buffer, at: number, count: number): void {
    let to = at
    const last = at + count
    while (to < last) {
      const from = this.#starts[this.#next]! + this.#offset
      const size = Math.min(last - to, this.#ends[this.#next]! - from)
      this.#buffers[this.#next]!.copy(target, to, from, from + size)
      to += size
      this.#offset += size
      if (from + size === this.#ends[this.#next]) {
        this.#next += 1
        this.#offset = 0
      }
    }
  }

  /** Forgets everything, the buffers too. */
  clear(): void {
    this.#buffers.length = 0
    this.#count = 0
    this.#bytes = 0
    this.#next = 0
    this.#offset = 0
  }
}
