import type { IncomingMessage } from 'node:http'
import { fragmentBytes } from '../../media/mp4/fragment.ts'
import type { RecordingIndex, Segment } from '../../media/vod/recording.ts'

/** A part of an MP4 file, which is made when it is sent. */
export interface Mp4Part {
  readonly segment: Segment
  /** Number of the fragment, from 1 on. */
  readonly sequence: number
  /** When it begins, in milliseconds. */
  readonly startMs: number
  /** Where it is in the file. */
  readonly at: number
  readonly bytes: number
}

/** An MP4 file that is not there: its size is known before any of it is made. */
export interface Mp4Layout {
  readonly head: Uint8Array
  readonly parts: readonly Mp4Part[]
  readonly bytes: number
}

/** Where the parts of a recording are in its MP4 file. @param head what stands in front of them */
export function layOut({ segments, leadMs }: RecordingIndex, head: Uint8Array): Mp4Layout {
  const parts: Mp4Part[] = []
  let at = head.byteLength
  let startMs = leadMs
  for (const [index, segment] of segments.entries()) {
    const { videoFrames, audioFrames, frameBytes, durationMs } = segment
    const bytes = fragmentBytes(videoFrames, audioFrames, frameBytes)
    parts.push({ segment, sequence: index + 1, startMs, at, bytes })
    at += bytes
    startMs += durationMs
  }
  return { head, parts, bytes: at }
}

/**
 * The bytes of the file from `start` up to `end`. Parts are made one after the other, as they are taken.
 * @param make a part's bytes
 * @throws Error when a part has not the size it should have; what `make` throws
 */
export async function* bytesOf(
  { head, parts }: Mp4Layout,
  start: number,
  end: number,
  make: (part: Mp4Part) => Promise<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  if (start < head.byteLength) yield head.subarray(start, Math.min(end, head.byteLength))
  for (const part of parts) {
    const { at, bytes } = part
    if (at + bytes <= start || at >= end) continue
    const made = await make(part)
    if (made.byteLength !== bytes)
      throw new Error(`part ${part.sequence} has ${made.byteLength} of ${bytes} bytes`)
    yield made.subarray(Math.max(0, start - at), Math.min(bytes, end - at))
  }
}

/** Which bytes a request wants. */
export interface ByteRange {
  readonly start: number
  /** Behind the last one. */
  readonly end: number
}

/**
 * Reads a request for one part of a file (RFC 9110, 14.2). Several parts, and what is no range of bytes, are passed
 * over, as a server may: the whole is sent.
 * @returns 'whole', or 'unsatisfiable': the file ends before
 */
export function rangeOf(
  headers: IncomingMessage['headers'],
  size: number,
  etag: string,
): ByteRange | 'whole' | 'unsatisfiable' {
  const [, first, last] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(headers.range ?? '') ?? []
  const isOther = headers['if-range'] !== undefined && headers['if-range'] !== etag
  if (first === undefined || last === undefined || (first === '' && last === '') || isOther) return 'whole'
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size : Math.min(size, Number(last) + 1)
  return start >= size || end <= start ? 'unsatisfiable' : { start, end }
}
