import { type FileHandle, open } from 'node:fs/promises'
import type { RecordingFacts } from '../media/dvr/facts.ts'
import { readFlvHead } from '../media/dvr/flv-head.ts'
import { readMp4Head } from '../media/dvr/mp4-head.ts'
import { maxHeadBytes } from '../media/dvr/recording.ts'

/** The first bytes of a file, as many as a head has at most. */
export async function readStart(file: FileHandle): Promise<Buffer> {
  return readAt(file, 0, maxHeadBytes)
}

/** Bytes of a file; fewer where it ends. */
export async function readAt(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(bytes)
  let length = 0
  while (length < bytes) {
    const { bytesRead } = await file.read(buffer, length, bytes - length, at + length)
    if (bytesRead === 0) break
    length += bytesRead
  }
  return buffer.subarray(0, length)
}

/**
 * What a file says of itself.
 * @returns null if it is no recording of Weir's
 * @throws the system's error when it cannot be read
 */
export async function readRecordingFacts(path: string): Promise<RecordingFacts | null> {
  const file = await open(path)
  try {
    const start = await readStart(file)
    return (readFlvHead(start) ?? readMp4Head(start))?.facts ?? null
  } finally {
    await file.close()
  }
}
