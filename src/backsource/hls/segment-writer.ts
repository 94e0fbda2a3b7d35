import type { SegmentOutput, SegmentStart } from '../../media/hls/segmenter.ts'
import { SlabWriter } from '../disk/slab-writer.ts'
import type { WriteQueue } from '../disk/write-queue.ts'
import type { SegmentFile } from './segment-file.ts'

/** What a writer needs of its owner. */
export interface SegmentWriterOwner {
  /** A file for a segment that begins. */
  newFile(start: SegmentStart): SegmentFile
  /** Takes a segment that is written, or that has an error. Does not throw. */
  onWritten(file: SegmentFile, durationMs: number): Promise<void>
  /** A segment of which nothing was written was given up. */
  onGivenUp(error: Error): void
}

/** Writes segments to files; see {@link SlabWriter}. */
export class SegmentWriter extends SlabWriter implements SegmentOutput {
  readonly #queue: WriteQueue
  readonly #owner: SegmentWriterOwner
  #segment: SegmentFile | null = null

  constructor(queue: WriteQueue, owner: SegmentWriterOwner) {
    super(queue, 'HLS_BEHIND')
    this.#queue = queue
    this.#owner = owner
  }

  beginSegment(start: SegmentStart): void {
    this.#segment = this.#owner.newFile(start)
    this.begin(this.#segment)
  }

  endSegment(durationMs: number): void {
    const file = this.#segment
    if (file === null) return
    this.end()
    this.#segment = null
    if (file.error !== null && !this.hasWritten) this.#owner.onGivenUp(file.error)
    else this.#queue.add(() => this.#owner.onWritten(file, durationMs))
  }
}
