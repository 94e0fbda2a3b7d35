import { type ErrorCode, WeirError } from '../../base/errors.ts'
import type { WriteQueue } from './write-queue.ts'

/** Bytes that go to the disk together unless the owner says otherwise: less than a second of most streams, and whole packets of MPEG-TS. */
const usualSlabBytes = 697 * 188

/** Slabs that are kept for the next bytes: one is filled while the other is written. */
const keptSlabs = 2

/** What may wait for the disk before a file is given up. */
export const maxWaitingBytes = 16 * 1024 * 1024
export const maxWaitingTasks = 200

/** A file that slabs go to. */
export interface SlabFile {
  /** Why it cannot be written; what comes of it is dropped then. */
  error: Error | null
  write(bytes: Buffer): Promise<void>
}

/**
 * Writes to files without ever waiting for the disk: what comes is gathered in slabs, which are written in turn and
 * used again. A disk that does not keep up costs the files that do not fit into the bound, not memory.
 */
export class SlabWriter {
  readonly #queue: WriteQueue
  readonly #behindCode: ErrorCode
  readonly #slabBytes: number
  readonly #spare: Buffer[] = []
  #file: SlabFile | null = null
  #hasWritten = false
  #slab: Buffer | null = null
  length = 0

  /**
   * @param behindCode code of the error that a file has when the disk does not keep up
   * @param slabBytes bytes that go to the disk together
   */
  constructor(queue: WriteQueue, behindCode: ErrorCode, slabBytes = usualSlabBytes) {
    this.#queue = queue
    this.#behindCode = behindCode
    this.#slabBytes = slabBytes
  }

  /** Whether something of the present file is in the queue. */
  get hasWritten(): boolean {
    return this.#hasWritten
  }

  /** What is written from now on goes to this file. */
  begin(file: SlabFile): void {
    this.flush()
    this.#file = file
    this.#hasWritten = false
    this.#checkQueue(file)
  }

  /** Gives the rest to the queue: the file has ended. */
  end(): void {
    this.flush()
    this.#file = null
  }

  /** A buffer with room for `size` bytes from {@link length} on. */
  reserve(size: number): Buffer {
    if (this.#slab !== null && this.length + size <= this.#slab.length) return this.#slab
    this.flush()
    this.#slab = size > this.#slabBytes ? Buffer.allocUnsafeSlow(size) : this.#takeSlab()
    return this.#slab
  }

  /** Says how far the buffer was written. */
  advance(end: number): void {
    this.length = end
  }

  /** Gives what is in the slab to the queue. */
  flush(): void {
    const slab = this.#slab
    const file = this.#file
    const { length } = this
    if (slab === null || file === null) return
    this.#slab = null
    this.length = 0
    this.#checkQueue(file)
    if (length === 0 || file.error !== null) {
      this.#keepSlab(slab)
      return
    }
    this.#hasWritten = true
    this.#queue.add(async () => {
      try {
        if (file.error === null) await file.write(slab.subarray(0, length))
      } catch (error) {
        file.error = error instanceof Error ? error : new Error(String(error))
      }
      this.#keepSlab(slab)
    }, length)
  }

  #checkQueue(file: SlabFile): void {
    if (this.#queue.bytes <= maxWaitingBytes && this.#queue.tasks <= maxWaitingTasks) return
    file.error ??= new WeirError(this.#behindCode, `${this.#queue.bytes} bytes wait for the disk`)
  }

  #takeSlab(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(this.#slabBytes)
  }

  #keepSlab(slab: Buffer): void {
    if (slab.length === this.#slabBytes && this.#spare.length < keptSlabs) this.#spare.push(slab)
  }
}
