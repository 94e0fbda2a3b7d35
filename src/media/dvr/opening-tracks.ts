import { readCodedBody } from '../coded-body.ts'
import { isHeader, type Packet, videoType } from '../packet.ts'

/** For how long a track that has not shown itself is waited for, and for how many bytes. */
const otherTrackMs = 1000
const maxBytes = 8 * 1024 * 1024

/** Codecs whose frames mean nothing without a sequence header; of others any frame says what there is to say. */
const needHeader = new Set(['H264', 'HEVC', 'VVC', 'AV1', 'VP8', 'VP9', 'AAC', 'Opus', 'FLAC'])

/** Finds out from the first packets of a recording which tracks it has: the head of an MP4 file has to say it. */
export class OpeningTracks {
  /** What says how the track is decoded: its sequence header, or a frame where the codec has none. */
  video: Packet | null = null
  audio: Packet | null = null
  readonly #seen = new Set<number>()
  #startMs: number | null = null
  #waitedMs = 0
  #bytes = 0

  /** Whether there is nothing more to be waited for. */
  get isComplete(): boolean {
    return this.#seen.size === 2 || this.#waitedMs >= otherTrackMs || this.#bytes > maxBytes
  }

  /** Whether there was a frame. */
  get hasBegun(): boolean {
    return this.#startMs !== null
  }

  note(packet: Packet, timeMs: number): void {
    this.#bytes += packet.body.length
    const coded = readCodedBody(packet.type, packet.body)
    if (coded === null) return
    const track = packet.type === videoType ? 'video' : 'audio'
    if (coded.content === 'config' || !needHeader.has(coded.codec)) this[track] ??= packet
    if (coded.content === 'config' || coded.content === 'frame') this.#seen.add(packet.type)
    if (isHeader(packet) || coded.content !== 'frame') return
    this.#startMs ??= timeMs
    this.#waitedMs = timeMs - this.#startMs
  }
}
