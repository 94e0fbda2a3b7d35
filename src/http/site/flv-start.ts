import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { FlvReader } from '../../media/flv/reader.ts'
import type { FlvTag } from '../../media/flv/tag.ts'
import { encodeTag, flvHeader } from '../../media/flv/writer.ts'
import { audioType, classify, sequenceHeaderFlag, videoType } from '../../media/packet.ts'

/** How much of a file is looked at for its sequence headers: they come before the first frames. */
const searchBytes = 1024 * 1024
const readBytes = 64 * 1024

/** What a player gets that begins in the middle of a file. */
export interface FlvFromOffset {
  readonly length: number
  /** To be read to its end or destroyed. */
  open(): Readable
}

/**
 * An FLV file from an offset on, as players ask for with `?start=BYTES` when they know from the file's index where a key
 * frame is: the file header, the sequence headers, then the file's bytes from there.
 * @param start offset of a tag
 * @returns null when the file ends before
 * @throws WeirError FLV_FORMAT when it is no FLV file; the system's error when it cannot be read
 */
export async function flvFromOffset(path: string, start: number): Promise<FlvFromOffset | null> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (start >= size) return null
    const { head, firstFrame } = await readHead(file)
    // Up to the first frame nothing is left out.
    const isWhole = start <= firstFrame
    const front = isWhole ? Buffer.alloc(0) : head
    const from = isWhole ? 0 : start
    return { length: front.length + size - from, open: () => Readable.from(bytesOf(front, path, from, size)) }
  } finally {
    await file.close()
  }
}

async function* bytesOf(front: Buffer, path: string, from: number, size: number): AsyncGenerator<Buffer> {
  if (front.length > 0) yield front
  // A file that is still being recorded grows: what was announced is what is sent.
  for await (const bytes of createReadStream(path, { start: from, end: size - 1 })) yield bytes as Buffer
}

interface Head {
  /** File header and sequence headers. */
  readonly head: Buffer
  /** Offset of the first tag that is a frame. */
  readonly firstFrame: number
}

async function readHead(file: FileHandle): Promise<Head> {
  const reader = new FlvReader()
  const headers = new Map<number, FlvTag>()
  let firstFrame: number | null = null
  const buffer = Buffer.allocUnsafe(readBytes)
  for (let at = 0; at < searchBytes && headers.size < 2; ) {
    const { bytesRead } = await file.read(buffer, 0, readBytes, at)
    if (bytesRead === 0) break
    at += bytesRead
    for (const tag of reader.push(buffer.subarray(0, bytesRead))) {
      if (tag.type !== audioType && tag.type !== videoType) continue
      if (classify(tag.type, tag.body) & sequenceHeaderFlag) {
        if (!headers.has(tag.type)) headers.set(tag.type, tag)
      } else firstFrame ??= tag.offset
    }
  }
  const content = reader.content ?? { audio: true, video: true }
  const tags = [videoType, audioType].map((type) => headers.get(type)).filter((tag) => tag !== undefined)
  const encoded = tags.map(({ type, timestamp, body }) => encodeTag(type, timestamp, body))
  return { head: Buffer.concat([flvHeader(content), ...encoded]), firstFrame: firstFrame ?? 0 }
}
