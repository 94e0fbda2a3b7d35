import { type FileHandle, open, rename } from 'node:fs/promises'
import { codeOf } from '../../base/errors.ts'
import { alternative } from '../../recordings/names.ts'
import { createFile, removeFile } from '../disk/files.ts'
import type { SlabFile } from '../disk/slab-writer.ts'

/** Names that are tried when a recording's own is taken. */
const maxNames = 10_000

/** A recording's file while it is written: it has its name when it is whole. */
export class RecordingFile implements SlabFile {
  readonly path: string
  /** What it is to be called. */
  readonly finalPath: string
  error: Error | null = null
  #file: FileHandle | null
  #bytes: number

  /** Creates a file, and its directory. @throws the system's error */
  static async create(path: string, finalPath: string): Promise<RecordingFile> {
    return new RecordingFile(await createFile(path), path, finalPath, 0)
  }

  /** @param bytes where it is gone on with */
  constructor(file: FileHandle, path: string, finalPath: string, bytes: number) {
    this.#file = file
    this.path = path
    this.finalPath = finalPath
    this.#bytes = bytes
  }

  /** Bytes that the disk has. */
  get bytes(): number {
    return this.#bytes
  }

  async write(bytes: Buffer): Promise<void> {
    if (this.#file === null) return
    await writeAt(this.#file, bytes, this.#bytes)
    this.#bytes += bytes.length
  }

  /**
   * Puts its beginning right and gives it its name, or if that is taken one with a number.
   * @returns its path
   * @throws the system's error
   */
  async finish(head: Buffer): Promise<string> {
    if (this.#file !== null) await writeAt(this.#file, head, 0)
    await this.close()
    return placeFile(this.path, this.finalPath)
  }

  /** Closes it as it is, if it is open. @throws the system's error */
  async close(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.close()
  }
}

/** Writes all of the bytes at an offset. */
export async function writeAt(file: FileHandle, bytes: Buffer, offset: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, at, bytes.length - at, offset + at)
    at += bytesWritten
  }
}

/**
 * Gives a file its name, or if that is taken one with a number: no recording takes the place of another.
 * @returns the name
 * @throws the system's error
 */
export async function placeFile(from: string, to: string): Promise<string> {
  for (let number = 0; ; number += 1) {
    const path = alternative(to, number)
    try {
      // Of several that want the name, this takes it for one.
      await (await open(path, 'wx')).close()
    } catch (error) {
      if (codeOf(error) !== 'EEXIST' || number >= maxNames) throw error
      continue
    }
    try {
      await rename(from, path)
    } catch (error) {
      await removeFile(path)
      throw error
    }
    return path
  }
}
