import { type Mp4Slice, overdueBytes, overdueMs, type Segment, toleranceMs } from './recording.ts'

/** A video frame of a file, in decoding order. */
export interface Picture {
  /** When it is shown, in seconds. */
  readonly time: number
  readonly isKey: boolean
  readonly bytes: number
}

/** From when to when there is something of a track, in seconds. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A segment's beginning. */
interface Cut {
  /** Seconds. */
  readonly time: number
  /** Index of its first picture; null: it has none. */
  readonly picture: number | null
}

/**
 * Cuts a file whose frames have been listed. A segment has pictures from one cut to the next in decoding order, and the
 * sound of the same time.
 * @param pictures in decoding order
 * @param videoEnd when the last picture is over, in seconds
 * @param sound null: there is none
 */
export function cutRecording(
  pictures: readonly Picture[],
  videoEnd: number,
  sound: Span | null,
  fragmentMs: number,
): Segment[] {
  const cuts = cutPictures(pictures, fragmentMs)
  if (sound !== null) cuts.push(...cutRest(cuts.at(-1)?.time ?? null, videoEnd, sound, fragmentMs))
  const end = Math.max(pictures.length === 0 ? 0 : videoEnd, sound?.end ?? 0)
  const reorderMs = reorderOf(pictures)
  const shiftMs = Math.max(0, -Math.min(firstDecodeMs(pictures, reorderMs), (sound?.start ?? 0) * 1000))
  return cuts.map(({ time, picture }, index) => {
    const next = cuts[index + 1]
    const until = next === undefined ? null : next.time
    const own = picture === null ? [] : pictures.slice(picture, next?.picture ?? pictures.length)
    const slice: Mp4Slice = {
      kind: 'mp4',
      videoTime: own[0]?.time ?? null,
      audioTime: index === 0 ? null : time,
      audioEnd: until,
      reorderMs,
      shiftMs,
    }
    const frameBytes = own.reduce((sum, { bytes }) => sum + bytes, 0)
    const durationMs = Math.max(1, ((until ?? end) - time) * 1000)
    return { period: 0, durationMs, videoFrames: own.length, audioFrames: 0, frameBytes, slice }
  })
}

/**
 * Where pictures can be cut: at key frames, when the segment is long enough, and without one, when it is overdue, at
 * any frame. Nowhere is a frame cut off from one that is shown earlier, so that what is shown of a segment follows what
 * is shown of the one before.
 */
function cutPictures(pictures: readonly Picture[], fragmentMs: number): Cut[] {
  const cuts: Cut[] = []
  const earliestFrom = earliestTimes(pictures)
  let latest = Number.NEGATIVE_INFINITY
  let startTime = 0
  let bytes = 0
  for (const [index, picture] of pictures.entries()) {
    const time = earliestFrom[index]!
    const lengthMs = (time - startTime) * 1000
    const isLong = picture.isKey && lengthMs >= fragmentMs - toleranceMs
    const isOverdue = lengthMs >= overdueMs || bytes >= overdueBytes
    if (index === 0 || ((isLong || isOverdue) && latest < time)) {
      cuts.push({ time, picture: index })
      startTime = time
      bytes = 0
    }
    bytes += picture.bytes
    latest = Math.max(latest, picture.time)
  }
  return cuts
}

/** Cuts the sound where there are no pictures, or none any more. */
function cutRest(lastCut: number | null, videoEnd: number, sound: Span, fragmentMs: number): Cut[] {
  const isAlone = lastCut === null
  if (!isAlone && sound.end - videoEnd <= overdueMs / 1000) return []
  const start = isAlone ? sound.start : videoEnd
  const count = Math.max(1, Math.floor(((sound.end - start) * 1000 + toleranceMs) / fragmentMs))
  return Array.from({ length: count }, (_, index) => ({
    time: start + (index * fragmentMs) / 1000,
    picture: null,
  }))
}

/** For each frame the earliest time at which one is shown that is not decoded before it. */
function earliestTimes(pictures: readonly Picture[]): Float64Array {
  const earliest = new Float64Array(pictures.length)
  let least = Number.POSITIVE_INFINITY
  for (let index = pictures.length - 1; index >= 0; index -= 1) {
    least = Math.min(least, pictures[index]!.time)
    earliest[index] = least
  }
  return earliest
}

/**
 * How much later, in milliseconds, a frame is shown than the one is decoded that has its place in the order. Files say
 * when frames are decoded, but the library does not; the times at which they are shown say it as well: these, in order,
 * earlier by as much as is needed that none is shown before it is decoded.
 */
function reorderOf(pictures: readonly Picture[]): number {
  const sorted = Float64Array.from(pictures, ({ time }) => time).sort()
  let most = 0
  for (const [index, { time }] of pictures.entries()) most = Math.max(most, sorted[index]! - time)
  return most * 1000
}

function firstDecodeMs(pictures: readonly Picture[], reorderMs: number): number {
  if (pictures.length === 0) return 0
  return (
    pictures.reduce((least, { time }) => Math.min(least, time), Number.POSITIVE_INFINITY) * 1000 - reorderMs
  )
}
