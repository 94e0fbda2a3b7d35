import { videoTrackId } from '../mp4/movie.ts'
import type { Whole } from './flv-scan.ts'
import { type BoxPlace, boxesOf, encodeMp4Head, readMp4Head } from './mp4-head.ts'
import { TrackEnd } from './recording.ts'
import { SeekIndex, type SeekPoint } from './seek-index.ts'

/** A fragment is larger than this only in files that are not ours. */
export const maxFragmentHeadBytes = 16 * 1024 * 1024

const boxHeadBytes = 8

/** So many fragments are found again: more than any head has room for. */
const maxPoints = 4096

/** What a scan wants to read next: a part of the file. */
export interface Wanted {
  readonly at: number
  readonly bytes: number
}

/**
 * Looks through an MP4 recording whose process was killed: what is whole in it, from its head to its last whole fragment.
 * It reads what stands in front of the data, and not the data.
 */
export class Mp4Scan {
  readonly #head: ReturnType<typeof readMp4Head>
  readonly #index = new SeekIndex(maxPoints)
  readonly #ends = new Map<number, TrackEnd>()
  readonly #fileBytes: number
  #at: number
  #fragments = 0
  #startMs: number | null = null

  /**
   * @param start the file's first bytes, as many as `maxHeadBytes` if it has them
   * @param fileBytes size of the file
   */
  constructor(start: Buffer, fileBytes: number) {
    this.#head = readMp4Head(start)
    this.#at = this.#head?.headBytes ?? fileBytes
    this.#fileBytes = fileBytes
  }

  /** Where the next fragment is; null: there is no more. */
  get next(): number | null {
    return this.#at + 2 * boxHeadBytes <= this.#fileBytes ? this.#at : null
  }

  /**
   * Takes what is at {@link next}.
   * @param bytes with the whole of the box there, and the beginning of the one behind it
   * @returns false: nothing behind it is whole
   */
  push(bytes: Buffer): boolean {
    const moof = boxesOf(bytes)[0]
    if (moof?.type !== 'moof' || bytes.length < moof.end + boxHeadBytes) return false
    const dataBytes = bytes.readUInt32BE(moof.end)
    const isData = bytes.toString('latin1', moof.end + 4, moof.end + 8) === 'mdat'
    const end = this.#at + moof.end + dataBytes
    if (!isData || dataBytes < boxHeadBytes || end > this.#fileBytes) return false
    const point = this.#readFragment(bytes.subarray(moof.at, moof.end))
    if (point !== null) this.#index.add(point)
    this.#fragments += 1
    this.#at = end
    return true
  }

  /** @returns null when there are no fragments in it, or it is no recording of ours */
  finish(): Whole | null {
    if (this.#head === null || this.#fragments === 0) return null
    const endMs = Math.max(0, ...[...this.#ends.values()].map((end) => end.endMs))
    const durationMs = endMs - (this.#startMs ?? 0)
    const head = {
      ...this.#head,
      facts: { ...this.#head.facts, durationMs },
      fileBytes: this.#at,
      points: this.#index.points,
      sequence: this.#fragments + 1,
    }
    return { bytes: this.#at, head: encodeMp4Head(head, this.#head.layout) }
  }

  /** Notes when its tracks end. @returns where it begins, if with a key frame */
  #readFragment(moof: Buffer): SeekPoint | null {
    let startMs: number | null = null
    let isSeekable = this.#index.points.length === 0
    for (const traf of within(moof).filter(({ type }) => type === 'traf')) {
      const track = readTrack(moof.subarray(traf.at, traf.end))
      if (track === null) continue
      const end = this.#ends.get(track.id) ?? new TrackEnd()
      this.#ends.set(track.id, end)
      let timeMs = track.startMs
      for (const durationMs of track.durations) {
        end.note(timeMs)
        timeMs += durationMs
      }
      startMs = Math.min(startMs ?? Number.POSITIVE_INFINITY, track.startMs)
      const isIndexed = track.id === this.#head?.indexTrack
      if (isIndexed && (track.id !== videoTrackId || track.isKey)) isSeekable = true
    }
    this.#startMs ??= startMs
    return startMs === null || !isSeekable ? null : { at: this.#at, timeMs: startMs }
  }
}

/** The boxes within a box. */
function within(box: Buffer): BoxPlace[] {
  return boxesOf(box.subarray(boxHeadBytes)).map(({ type, at, end }) => {
    return { type, at: at + boxHeadBytes, end: end + boxHeadBytes }
  })
}

interface FragmentTrack {
  readonly id: number
  readonly startMs: number
  readonly durations: readonly number[]
  readonly isKey: boolean
}

/** Reads what `fragment.ts` writes of a track. */
function readTrack(traf: Buffer): FragmentTrack | null {
  const find = (type: string): Buffer | null => {
    const found = within(traf).find((box) => box.type === type)
    return found === undefined ? null : traf.subarray(found.at + boxHeadBytes, found.end)
  }
  const [tfhd, tfdt, trun] = [find('tfhd'), find('tfdt'), find('trun')]
  if (tfhd === null || tfdt === null || trun === null) return null
  const id = tfhd.readUInt32BE(4)
  const entryBytes = id === videoTrackId ? 16 : 8
  const count = Math.min(trun.readUInt32BE(4), Math.floor((trun.length - 12) / entryBytes))
  const durations = Array.from({ length: count }, (_, index) => trun.readUInt32BE(12 + index * entryBytes))
  const isKey = count > 0 && id === videoTrackId && trun.readUInt32BE(12 + 8) === 0x02000000
  return { id, startMs: tfdt.readUInt32BE(4) * 2 ** 32 + tfdt.readUInt32BE(8), durations, isKey }
}
