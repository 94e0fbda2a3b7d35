import { WeirError } from '../../base/errors.ts'
import type { SegmentOutput, SegmentStart } from '../../media/hls/segmenter.ts'
import type { SegmentFile } from './segment-file.ts'
import type { WriteQueue } from './write-queue.ts'

/** Bytes that go to the disk together, in whole packets: less than a second of most streams. */
const slabBytes = 697 * 188

/** Slabs that are kept for the next bytes: one is filled while the other is written. */
const keptSlabs = 2

/** What may wait for the disk before segments are given up. */
const maxWaitingBytes = 16 * 1024 * 1024
const maxWaitingTasks = 200

/** What a writer needs of its owner. */
export interface SegmentWriterOwner {
  /** A file for a segment that begins. */
  newFile(start: SegmentStart): SegmentFile
  /** Takes a segment that is written, or that has an error. Does not throw. */
  onWritten(file: SegmentFile, durationMs: number): Promise<void>
  /** A segment of which nothing was written was given up. */
  onGivenUp(error: Error): void
}

/**
 * Writes segments to files without ever waiting for the disk: what comes is gathered in slabs, which are written in
 * turn and used again. A disk that does not keep up costs the segments that do not fit into the bound, not memory.
 */
export class SegmentWriter implements SegmentOutput {
  readonly #queue: WriteQueue
  readonly #owner: SegmentWriterOwner
  readonly #spare: Buffer[] = []
  #file: SegmentFile | null = null
  /** Something of the segment is in the queue. */
  #isBegun = false
  #slab: Buffer | null = null
  length = 0

  constructor(queue: WriteQueue, owner: SegmentWriterOwner) {
    this.#queue = queue
    this.#owner = owner
  }

  beginSegment(start: SegmentStart): void {
    this.#file = this.#owner.newFile(start)
    this.#isBegun = false
    this.#checkQueue(this.#file)
  }

  endSegment(durationMs: number): void {
    const file = this.#file
    if (file === null) return
    this.#handOver(file)
    this.#file = null
    if (file.error !== null && !this.#isBegun) this.#owner.onGivenUp(file.error)
    else this.#queue.add(() => this.#owner.onWritten(file, durationMs))
  }

  reserve(size: number): Buffer {
    if (this.#slab !== null && this.length + size <= this.#slab.length) return this.#slab
    if (this.#file !== null) this.#handOver(this.#file)
    this.#slab = size > slabBytes ? Buffer.allocUnsafeSlow(size) : this.#takeSlab()
    return this.#slab
  }

  advance(end: number): void {
    this.length = end
  }

  /** Gives what is in the slab to the queue. */
  #handOver(file: SegmentFile): void {
    const slab = this.#slab
    const { length } = this
    this.#slab = null
    this.length = 0
    if (slab === null) return
    this.#checkQueue(file)
    if (length === 0 || file.error !== null) {
      this.#keepSlab(slab)
      return
    }
    this.#isBegun = true
    this.#queue.add(async () => {
      try {
        if (file.error === null) await file.write(slab.subarray(0, length))
      } catch (error) {
        file.error = error instanceof Error ? error : new Error(String(error))
      }
      this.#keepSlab(slab)
    }, length)
  }

  #checkQueue(file: SegmentFile): void {
    if (this.#queue.bytes <= maxWaitingBytes && this.#queue.tasks <= maxWaitingTasks) return
    file.error ??= new WeirError('HLS_BEHIND', `${this.#queue.bytes} bytes wait for the disk`)
  }

  #takeSlab(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(slabBytes)
  }

  #keepSlab(slab: Buffer): void {
    if (slab.length === slabBytes && this.#spare.length < keptSlabs) this.#spare.push(slab)
  }
}
