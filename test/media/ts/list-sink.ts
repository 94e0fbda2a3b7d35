import type { TsSink } from '../../../src/media/ts/layout.ts'

/** Takes what a muxer writes; each reservation is a buffer of its own, which checks that it was big enough. */
export class ListSink implements TsSink {
  readonly #parts: Buffer[] = []
  #open = Buffer.alloc(0)
  length = 0

  get bytes(): Buffer {
    return Buffer.concat(this.#parts)
  }

  reserve(size: number): Buffer {
    this.length = 0
    this.#open = Buffer.alloc(size, 0xee)
    return this.#open
  }

  advance(end: number): void {
    if (end > this.#open.length)
      throw new RangeError(`wrote ${end} bytes where ${this.#open.length} were reserved`)
    this.#parts.push(this.#open.subarray(0, end))
    this.length = end
  }
}
