import { codeOf } from '../../base/errors.ts'
import { FlvReader } from '../flv/reader.ts'
import type { FlvTag } from '../flv/tag.ts'
import { tagSize } from '../flv/writer.ts'
import {
  classify,
  codecName,
  dataType,
  keyFrameFlag,
  sequenceHeaderFlag,
  sideHeaderFlag,
  videoType,
} from '../packet.ts'
import { UnwrappedTime } from '../timestamp-delta.ts'
import { encodeFlvHead, type FlvHead, readFlvHead } from './flv-head.ts'
import { endOf as endOfTracks, TrackEnd } from './recording.ts'
import { SeekIndex } from './seek-index.ts'

/** What is whole of a recording that was cut off, and how it is to begin. */
export interface Whole {
  /** Length of the file without what is not whole. */
  readonly bytes: number
  /** Takes the place of what it begins with. */
  readonly head: Buffer
}

/** So many key frames are found again: more than any head has room for. */
const maxPoints = 4096

/** Looks through an FLV recording whose process was killed: what is whole in it, from its head to its last whole tag. */
export class FlvScan {
  readonly #reader = new FlvReader()
  readonly #head: ReturnType<typeof readFlvHead>
  readonly #index = new SeekIndex(maxPoints)
  readonly #ends = { video: new TrackEnd(), audio: new TrackEnd() }
  readonly #time = new UnwrappedTime()
  readonly #codecs: { video: string | null; audio: string | null } = { video: null, audio: null }
  #size = 0
  #whole = 0
  #isBroken = false
  #last: FlvTag | null = null
  #frames = 0
  #startMs: number | null = null

  /** @param start the file's first bytes, as many as {@link maxHeadBytes} if it has them */
  constructor(start: Buffer) {
    this.#head = readFlvHead(start)
  }

  /** Takes the next bytes of the file, from its beginning on. @returns false: more would be of no use */
  push(bytes: Buffer): boolean {
    if (this.#head === null || this.#isBroken) return false
    this.#size += bytes.length
    try {
      for (const tag of this.#reader.push(bytes)) this.#take(tag)
    } catch (error) {
      if (codeOf(error) !== 'FLV_FORMAT') throw error
      this.#isBroken = true
    }
    return !this.#isBroken
  }

  /** To be called after the last bytes. @returns null when there are no frames in it, or it is no recording of ours */
  finish(): Whole | null {
    // The size behind a tag belongs to it.
    if (this.#last !== null && endOf(this.#last) <= this.#size) this.#count(this.#last)
    if (this.#head === null || this.#frames === 0) return null
    const { facts, members, bodyBytes } = this.#head
    const durationMs = endOfTracks(this.#ends) - (this.#startMs ?? 0)
    const head: FlvHead = {
      facts: { ...facts, ...this.#codecs, durationMs },
      members,
      fileBytes: this.#whole,
      points: this.#index.points,
    }
    return { bytes: this.#whole, head: encodeFlvHead(head, bodyBytes) }
  }

  #take(tag: FlvTag): void {
    // That another one came says that the last one is whole.
    if (this.#last !== null) this.#count(this.#last)
    this.#last = tag
  }

  #count(tag: FlvTag): void {
    this.#whole = endOf(tag)
    const { type, body, timestamp, offset } = tag
    if (type === dataType) return
    const track = type === videoType ? 'video' : 'audio'
    this.#codecs[track] ??= codecName(type, body)
    const flags = classify(type, body)
    if (flags & (sequenceHeaderFlag | sideHeaderFlag)) return
    this.#frames += 1
    const timeMs = this.#time.next(timestamp)
    this.#startMs ??= timeMs
    this.#ends[track].note(timeMs)
    if (flags & keyFrameFlag) this.#index.add({ at: offset, timeMs })
  }
}

function endOf({ offset, body }: FlvTag): number {
  return offset + tagSize(body.length)
}
