import { box, u32 } from '../mp4/box.ts'
import {
  fileType,
  indexBytes,
  indexEntryBytes,
  type Mp4Movie,
  mainTrackId,
  movieBox,
  segmentIndex,
} from '../mp4/movie.ts'
import { namedFacts, type RecordingFacts, readFacts } from './facts.ts'
import { halved, type SeekPoint } from './seek-index.ts'

/**
 * The beginning of an MP4 recording: what it is (in a box of our own), which tracks it has, and room for an index of its
 * fragments. It keeps its length, so that at the end the duration and the index can be put in.
 *
 * Source: ISO/IEC 14496-12: 11.1 (uuid), 8.1.2 (free), 8.16.3 (sidx).
 */
export interface Mp4Head {
  readonly facts: RecordingFacts
  /** The box that names the tracks, as it is for a duration of 0. */
  readonly movie: Buffer
  /** The track that the index is about. */
  readonly indexTrack: number
  /** Size of the file. */
  readonly fileBytes: number
  /** Where fragments are that begin with a key frame. */
  readonly points: readonly SeekPoint[]
  /** Number of the next fragment. */
  readonly sequence: number
}

/** How a head is laid out, which it keeps. */
export interface Mp4Layout {
  readonly factsBytes: number
  readonly indexBytes: number
}

/** What follows is what {@link namedFacts} gives, as JSON. */
const factsId = Buffer.from('f1c61a2e5b7d4c0c9f0d6d1f77656972', 'hex')
const boxHeadBytes = 8
const spareBytes = 128

/** The box that names the tracks of a movie, for a duration of 0. */
export function moviePart(movie: Omit<Mp4Movie, 'fragments'>): Pick<Mp4Head, 'movie' | 'indexTrack'> {
  return { movie: movieBox(movie, 0), indexTrack: mainTrackId(movie) }
}

/** How long the parts of a head are to be so that an index of so many fragments fits into it. */
export function mp4Layout(head: Mp4Head, points: number): Mp4Layout {
  return {
    factsBytes: textOf(head).length + spareBytes,
    indexBytes: indexBytes + points * indexEntryBytes + boxHeadBytes,
  }
}

export function encodeMp4Head(head: Mp4Head, layout: Mp4Layout): Buffer {
  const text = textOf(head).toString()
  const facts = box(
    'uuid',
    factsId,
    Buffer.from(text.padEnd(layout.factsBytes - Buffer.byteLength(text) + text.length)),
  )
  return Buffer.concat([
    fileType(),
    facts,
    withDuration(head.movie, head.facts.durationMs),
    indexOf(head, layout),
  ])
}

/**
 * Reads the head of a file.
 * @param bytes the file's first ones
 * @returns what it says, and its length; null if it is not the head of a recording of ours
 */
export function readMp4Head(
  bytes: Buffer,
): (Mp4Head & { readonly layout: Mp4Layout; readonly headBytes: number }) | null {
  const [type, uuid, moov, index, free] = boxesOf(bytes)
  if (type?.type !== 'ftyp' || uuid?.type !== 'uuid' || moov?.type !== 'moov' || index === undefined)
    return null
  const own = bytes.subarray(uuid.at + boxHeadBytes, uuid.end)
  if (!own.subarray(0, factsId.length).equals(factsId)) return null
  const values = jsonOf(own.subarray(factsId.length))
  const facts = values && readFacts((name) => values[name])
  if (!values || !facts) return null
  const last = index.type === 'sidx' && free?.type === 'free' ? free : index
  const movie = withDuration(bytes.subarray(moov.at, moov.end), 0)
  return {
    facts,
    movie,
    indexTrack: Number(values.indexTrack),
    fileBytes: Number(values.filesize),
    sequence: Number(values.sequence),
    points: index.type === 'sidx' ? pointsOf(bytes.subarray(index.at, index.end), last.end) : [],
    layout: {
      factsBytes: own.length - factsId.length,
      indexBytes: last.end - index.at,
    },
    headBytes: last.end,
  }
}

function textOf({ facts, fileBytes, sequence, indexTrack }: Mp4Head): Buffer {
  return Buffer.from(JSON.stringify({ ...namedFacts(facts), filesize: fileBytes, sequence, indexTrack }))
}

function jsonOf(bytes: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(bytes.toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** With as much of the index as fits, and room for the rest. */
function indexOf({ points, indexTrack, facts, fileBytes }: Mp4Head, layout: Mp4Layout): Buffer {
  const most = Math.floor((layout.indexBytes - indexBytes - boxHeadBytes) / indexEntryBytes)
  let kept = points
  while (kept.length > most) kept = halved(kept)
  if (kept.length === 0) return freeBox(layout.indexBytes)
  const end = { at: fileBytes, timeMs: kept[0]!.timeMs + facts.durationMs }
  const fragments = kept.map(({ at, timeMs }, index) => {
    const next = kept[index + 1] ?? end
    return { bytes: next.at - at, durationMs: Math.max(0, next.timeMs - timeMs) }
  })
  const gap = layout.indexBytes - indexBytes - kept.length * indexEntryBytes
  return Buffer.concat([segmentIndex(indexTrack, fragments, kept[0]!.timeMs, gap), freeBox(gap)])
}

/** The fragments of an index, which begin at an offset of the file. */
function pointsOf(index: Buffer, from: number): SeekPoint[] {
  const points: SeekPoint[] = []
  let at = from
  let timeMs = index.readUInt32BE(boxHeadBytes + 12)
  for (let entry = indexBytes; entry + indexEntryBytes <= index.length; entry += indexEntryBytes) {
    points.push({ at, timeMs })
    at += index.readUInt32BE(entry)
    timeMs += index.readUInt32BE(entry + 4)
  }
  return points
}

function freeBox(bytes: number): Buffer {
  return box('free', Buffer.alloc(bytes - boxHeadBytes))
}

/** A movie's box with another duration in it (8.8.2): there is one of these boxes, and nothing else has its name. */
function withDuration(movie: Buffer, durationMs: number): Buffer {
  const changed = Buffer.from(movie)
  const at = changed.indexOf('mehd')
  if (at >= 0) u32(durationMs % 2 ** 32).copy(changed, at + 8)
  return changed
}

/** A box of a file. */
export interface BoxPlace {
  readonly type: string
  readonly at: number
  readonly end: number
}

/** The boxes that are whole within some bytes of a file. */
export function boxesOf(bytes: Buffer): BoxPlace[] {
  const boxes: BoxPlace[] = []
  for (let at = 0; at + boxHeadBytes <= bytes.length; ) {
    const size = bytes.readUInt32BE(at)
    if (size < boxHeadBytes || at + size > bytes.length) break
    boxes.push({ type: bytes.toString('latin1', at + 4, at + 8), at, end: at + size })
    at += size
  }
  return boxes
}
