import type { FileHandle } from 'node:fs/promises'
import { noteBuffer } from '../../base/external-memory.ts'
import type { SegmentStart } from '../../media/hls/segmenter.ts'
import { createFile, removeFile, writeAll } from '../disk/files.ts'
import type { SegmentCipher } from './key-ring.ts'

/**
 * A segment while it is being written: a file beside the playlist, which gets its name when the segment is whole. It
 * is written as the stream comes, so that little of it is in memory, and little is lost when the process is.
 */
export class SegmentFile {
  readonly start: SegmentStart
  readonly cipher: SegmentCipher | null
  /** Why it cannot be written; what comes of it is dropped then. */
  error: Error | null = null
  readonly path: string
  #file: FileHandle | null = null

  constructor(path: string, start: SegmentStart, cipher: SegmentCipher | null) {
    this.path = path
    this.start = start
    this.cipher = cipher
  }

  async write(bytes: Buffer): Promise<void> {
    this.#file ??= await createFile(this.path)
    await writeAll(this.#file, this.cipher === null ? bytes : encrypted(this.cipher, bytes))
  }

  /** Ends the file, which {@link path} names until somebody moves it. */
  async finish(): Promise<void> {
    this.#file ??= await createFile(this.path)
    if (this.cipher !== null) await writeAll(this.#file, this.cipher.cipher.final())
    await this.#close()
  }

  /** Removes what was written. */
  async discard(): Promise<void> {
    await this.#close()
    await removeFile(this.path)
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.close()
  }
}

function encrypted({ cipher }: SegmentCipher, bytes: Buffer): Buffer {
  noteBuffer(bytes.length)
  return cipher.update(bytes)
}
