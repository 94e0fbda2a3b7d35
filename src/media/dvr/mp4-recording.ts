import { codeOf, messageOf } from '../../base/errors.ts'
import { readCodedBody } from '../coded-body.ts'
import { fragmentSize, writeFragmentInto } from '../mp4/fragment.ts'
import type { Mp4Movie } from '../mp4/movie.ts'
import { codecName, dataType, isKeyFrame, type Packet, sequenceHeaderFlag, videoType } from '../packet.ts'
import { movieOf } from '../vod/mp4-movie.ts'
import type { CarriedCodec, Period, Sample, TrackHeader, TrackName } from '../vod/recording.ts'
import type { RecordingFacts } from './facts.ts'
import { encodeMp4Head, type Mp4Head, type Mp4Layout, moviePart, mp4Layout } from './mp4-head.ts'
import { type ByteSink, endOf, type NewRecording, type Recording, TrackEnd } from './recording.ts'
import { SeekIndex } from './seek-index.ts'

/** A fragment begins at a key frame when the one before is so long; without key frames, when it is so long or large. */
const fragmentMs = 1000
const overdueMs = 5000
const overdueBytes = 4 * 1024 * 1024

/** What an MP4 file of ours carries, by the names that packets have. */
const carried = new Map<string, CarriedCodec>([
  ['H264', 'H264'],
  ['HEVC', 'HEVC'],
  ['AAC', 'AAC'],
  ['MP3', 'MP3'],
  ['MP3-8k', 'MP3'],
])

/** Bytes in front of the payload of H.264, and of AAC. */
const avcHeadBytes = 5
const aacHeadBytes = 2

/** Packets that say how the tracks of a recording are decoded; null: there is no such track. */
export interface TrackPackets {
  readonly video: Packet | null
  readonly audio: Packet | null
}

/** The tracks of a recording as a movie's box names them. */
export interface Mp4Tracks {
  readonly period: Readonly<Period>
  readonly movie: Omit<Mp4Movie, 'fragments'>
  /** Why tracks have no place in it. */
  readonly leftOut: LeftOut
}

/** Why tracks have no place in an MP4 file. */
export type LeftOut = ReadonlyMap<TrackName, string>

/**
 * What of a stream an MP4 file can carry.
 * @param first the first frames
 * @returns if there is nothing, why
 */
export function mp4Tracks(packets: TrackPackets, first: readonly Packet[]): Mp4Tracks | LeftOut {
  const leftOut = new Map<TrackName, string>()
  const samples = first.flatMap((packet) => sampleOf(packet, 0) ?? [])
  const usable = (track: TrackName): TrackHeader | null => {
    const packet = packets[track]
    const header = packet && headerOf(packet)
    if (packet && !header) {
      leftOut.set(track, `${codecName(packet.type, packet.body)} has no place in an MP4 file`)
    }
    if (!header) return null
    try {
      movieOf(
        { periods: [{ video: null, audio: null, [track]: header }], segments: [], leadMs: 0, leftOut: [] },
        samples,
      )
      return header
    } catch (error) {
      if (!['VOD_FORMAT', 'MEDIA_FORMAT'].includes(codeOf(error))) throw error
      leftOut.set(track, messageOf(error))
      return null
    }
  }
  const period = { video: usable('video'), audio: usable('audio') }
  if (period.video === null && period.audio === null) return leftOut
  const movie = movieOf({ periods: [period], segments: [], leadMs: 0, leftOut: [] }, samples)
  return { period, movie, leftOut }
}

/** A recording as an MP4 file of fragments: what was written of it can be played, whatever becomes of its process. */
export class Mp4Recording implements Recording {
  readonly #sink: ByteSink
  readonly #tracks: Mp4Tracks
  readonly #layout: Mp4Layout
  readonly #head: Mp4Head
  readonly #index: SeekIndex
  readonly #ends = { video: new TrackEnd(), audio: new TrackEnd() }
  #sequence: number
  #written: number
  /** The fragment that is to come. */
  #samples: Sample[] = []
  #sampleBytes = 0
  /** When the file begins; 0 when it goes on. */
  #startMs: number | null

  /** Begins a file. @param capacity fragments that the index has room for */
  static begin(sink: ByteSink, start: NewRecording, tracks: Mp4Tracks, capacity: number): Mp4Recording {
    const { video, audio } = tracks.period
    const facts = { ...start, durationMs: 0, video: video?.codec ?? null, audio: audio?.codec ?? null }
    const head = { ...moviePart(tracks.movie), facts, fileBytes: 0, points: [], sequence: 1 }
    const layout = mp4Layout(head, capacity)
    const bytes = encodeMp4Head(head, layout)
    const target = sink.reserve(bytes.length)
    sink.advance(sink.length + bytes.copy(target, sink.length))
    return new Mp4Recording(sink, tracks, { ...head, fileBytes: bytes.length }, layout, capacity)
  }

  /** Whether a file has the same tracks, decoded in the same way. */
  static canContinue({ movie }: Mp4Tracks, head: Mp4Head): boolean {
    return moviePart(movie).movie.equals(head.movie)
  }

  /** Goes on with a file behind its last fragment, see {@link canContinue}. */
  static continue(
    sink: ByteSink,
    tracks: Mp4Tracks,
    head: Mp4Head & { readonly layout: Mp4Layout },
    capacity: number,
  ): Mp4Recording {
    return new Mp4Recording(sink, tracks, head, head.layout, capacity)
  }

  private constructor(sink: ByteSink, tracks: Mp4Tracks, head: Mp4Head, layout: Mp4Layout, capacity: number) {
    this.#sink = sink
    this.#tracks = tracks
    this.#head = head
    this.#layout = layout
    this.#index = new SeekIndex(capacity, head.points)
    this.#sequence = head.sequence
    this.#written = head.fileBytes
    this.#startMs = head.sequence === 1 ? null : 0
  }

  get facts(): RecordingFacts {
    const { facts } = this.#head
    const lengthMs = endOf(this.#ends) - (this.#startMs ?? 0)
    return { ...facts, durationMs: Math.max(facts.durationMs, lengthMs) }
  }

  get bytes(): number {
    return this.#written + this.#sampleBytes
  }

  fits(packet: Packet): boolean {
    if (packet.type === dataType) return true
    const header = headerOf(packet)
    if (header === null) return true
    const track = packet.type === videoType ? 'video' : 'audio'
    const known = this.#tracks.period[track]
    const isConfig = (packet.flags & sequenceHeaderFlag) !== 0
    if (known === null) return this.#tracks.leftOut.has(track) || !(isConfig || header.codec === 'MP3')
    return header.codec === known.codec && (!isConfig || Buffer.from(known.body).equals(packet.body))
  }

  header(): void {
    // What there is to say of the tracks is in the head.
  }

  frame(packet: Packet, timeMs: number): void {
    const sample = sampleOf(packet, timeMs)
    if (sample === null || this.#tracks.period[sample.track] === null) return
    if (this.#mustCut(sample)) this.flush()
    this.#startMs ??= timeMs
    this.#ends[sample.track].note(timeMs)
    this.#samples.push(sample)
    this.#sampleBytes += sample.end - sample.start
  }

  flush(): void {
    const samples = this.#samples
    const first = samples[0]
    if (first === undefined) return
    const size = fragmentSize(samples)
    const target = this.#sink.reserve(size)
    const isSeekable = this.#tracks.period.video === null || isKeyFirst(samples)
    if (isSeekable || this.#index.points.length === 0) {
      this.#index.add({ at: this.#written, timeMs: first.decodeMs })
    }
    this.#sink.advance(writeFragmentInto(target, this.#sink.length, this.#sequence, samples, 0))
    this.#sequence += 1
    this.#written += size
    this.#samples = []
    this.#sampleBytes = 0
  }

  head(): Buffer {
    const { facts } = this
    const fileBytes = this.#written
    const head = { ...this.#head, facts, fileBytes, points: this.#index.points, sequence: this.#sequence }
    return encodeMp4Head(head, this.#layout)
  }

  #mustCut({ track, isKey, decodeMs }: Sample): boolean {
    const first = this.#samples[0]
    if (first === undefined) return false
    const lengthMs = decodeMs - first.decodeMs
    if (lengthMs >= overdueMs || this.#sampleBytes >= overdueBytes) return true
    const canCut = this.#tracks.period.video === null || (track === 'video' && isKey)
    return canCut && lengthMs >= fragmentMs
  }
}

function isKeyFirst(samples: readonly Sample[]): boolean {
  return samples.find(({ track }) => track === 'video')?.isKey ?? false
}

/** @returns null if there is no place for it in an MP4 file of ours */
function headerOf({ type, body }: Packet): TrackHeader | null {
  const codec = carried.get(codecName(type, body) ?? '')
  return codec === undefined ? null : { codec, body, from: 0 }
}

/** @returns null if it is no frame */
function sampleOf(packet: Packet, timeMs: number): Sample | null {
  const { type, body } = packet
  if (type === dataType) return null
  const isVideo = type === videoType
  const isKey = !isVideo || isKeyFrame(packet)
  const track = isVideo ? 'video' : 'audio'
  const decodeMs = timeMs
  // Nearly all there are, without looking further: H.264 and AAC with headers of one kind (E.4.2, E.4.3).
  const first = body[0] ?? 0
  const packetType = body[1]
  if (packetType === 1 && body.length > avcHeadBytes) {
    if (isVideo && (first & 0x8f) === 7) {
      const presentationMs = timeMs + body.readIntBE(2, 3)
      return { track, isKey, decodeMs, presentationMs, body, start: avcHeadBytes, end: body.length }
    }
    if (!isVideo && first >> 4 === 10) {
      return { track, isKey, decodeMs, presentationMs: timeMs, body, start: aacHeadBytes, end: body.length }
    }
  }
  const coded = readCodedBody(type, body)
  if (coded?.content !== 'frame' || coded.end <= coded.start || !carried.has(coded.codec)) return null
  const { compositionMs, start, end } = coded
  return { track, isKey, decodeMs, presentationMs: timeMs + compositionMs, body, start, end }
}
