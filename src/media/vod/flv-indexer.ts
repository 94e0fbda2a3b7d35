import { codeOf, messageOf } from '../../base/errors.ts'
import { type CodedBody, readCodedBody } from '../coded-body.ts'
import type { FlvTag } from '../flv/tag.ts'
import { classify, dataType, keyFrameFlag, type Packet, videoType } from '../packet.ts'
import { UnwrappedTime } from '../timestamp-delta.ts'
import { type AudioFormat, isSameAudio, readAudioFormat } from '../ts/audio-format.ts'
import { isSameVideo, readVideoFormat, type VideoFormat } from '../ts/video-format.ts'
import {
  type CarriedCodec,
  overdueBytes,
  overdueMs,
  type Period,
  type RecordingIndex,
  type Segment,
  type TrackName,
  toleranceMs,
} from './recording.ts'

/** Steps of the time beyond these are jumps to another time, as live HLS has them too. */
const maxStepMs = 10_000
const maxStepBackMs = 2000

/** The length of a frame where it cannot be told, in milliseconds, and the longest that is believed. */
const defaultFrameMs = 40
const maxFrameMs = 1000

/** What segments can carry, by the names that FLV bodies have. */
const carried = new Map<string, CarriedCodec>([
  ['H264', 'H264'],
  ['HEVC', 'HEVC'],
  ['AAC', 'AAC'],
  ['MP3', 'MP3'],
  ['MP3-8k', 'MP3'],
])

/** The end of a track as far as it was read. */
interface TrackEnd {
  lastMs: number
  frameMs: number
}

/** A segment that is not at its end yet. */
interface OpenSegment {
  readonly period: number
  readonly start: number
  readonly timestamp: number
  readonly timeMs: number
  end: number
  videoFrames: number
  audioFrames: number
  frameBytes: number
}

/**
 * Finds out, from the tags of an FLV file in their order, where it can be cut: a segment is a range of its bytes that
 * begins with a key frame, so that every frame is in one of them and none in two.
 */
export class FlvIndexer {
  readonly #fragmentMs: number
  readonly #time = new UnwrappedTime()
  readonly #periods: Period[] = []
  readonly #segments: Segment[] = []
  readonly #leftOut = new Map<TrackName, string>()
  readonly #headers: Period = { video: null, audio: null }
  #video: VideoFormat | null = null
  #audio: AudioFormat | null = null
  /** What the headers say is no longer what the period began with. */
  #hasChanged = true
  #open: OpenSegment | null = null
  readonly #ends: Record<TrackName, TrackEnd | null> = { video: null, audio: null }
  #newestMs = 0
  #leadMs = 0

  /** @param fragmentMs length of a segment, if key frames allow */
  constructor(fragmentMs: number) {
    this.#fragmentMs = fragmentMs
  }

  /**
   * Takes the next tag.
   * @param end offset in the file behind it
   */
  push(tag: FlvTag, end: number): void {
    const { type, body } = tag
    if (type === dataType) return
    const track = type === videoType ? 'video' : 'audio'
    const coded = readCodedBody(type, body)
    const codec = coded && this.#carried(track, coded)
    if (coded === null || codec === null) return
    const packet = { ...tag, flags: classify(type, body) }
    const header = this.#headers[track]
    if (coded.content === 'config' || header === null || header.codec !== codec) {
      this.#readHeader(track, codec, packet)
    }
    if (coded.content !== 'frame' || coded.end <= coded.start || this.#headers[track]?.codec !== codec) return
    this.#addFrame(track, packet, coded, end)
  }

  /** To be called after the last tag. */
  finish(): RecordingIndex {
    this.#endSegment(this.#endMs)
    return {
      periods: this.#periods,
      segments: this.#segments,
      leadMs: this.#leadMs,
      leftOut: [...this.#leftOut].map(([track, reason]) => `${track}: ${reason}`),
    }
  }

  #carried(track: TrackName, { codec }: CodedBody): CarriedCodec | null {
    const known = carried.get(codec) ?? null
    if (known === null) this.#leftOut.set(track, `${codec} has no place in a segment`)
    return known
  }

  #readHeader(track: TrackName, codec: CarriedCodec, packet: Packet & FlvTag): void {
    const before = this.#headers[track]
    if (!this.#readFormat(track, packet)) return
    const header = { codec, body: Uint8Array.from(packet.body), from: packet.offset }
    this.#headers[track] = header
    const period = this.#periods.at(-1)
    // A track that shows itself later than the other is announced from the beginning.
    if (before === null && period !== undefined && !this.#hasChanged) period[track] = header
    else this.#hasChanged = true
  }

  /** @returns whether the packet says how the track is carried, and it is not as before */
  #readFormat(track: TrackName, packet: Packet): boolean {
    try {
      if (track === 'video') {
        const format = readVideoFormat(packet)
        if (format === null || (this.#video !== null && isSameVideo(this.#video, format))) return false
        this.#video = format
      } else {
        const format = readAudioFormat(packet)
        if (format === null || (this.#audio !== null && isSameAudio(this.#audio, format))) return false
        this.#audio = format
      }
      return true
    } catch (error) {
      if (codeOf(error) !== 'MEDIA_FORMAT') throw error
      this.#leftOut.set(track, messageOf(error))
      return false
    }
  }

  #addFrame(track: TrackName, packet: Packet & FlvTag, coded: CodedBody, end: number): void {
    const timeMs = this.#time.next(packet.timestamp)
    const step = timeMs - this.#newestMs
    const hasJumped = this.#open !== null && (step > maxStepMs || step < -maxStepBackMs)
    if (this.#hasChanged || hasJumped) {
      this.#endSegment(this.#endMs)
      this.#periods.push({ ...this.#headers })
      this.#hasChanged = false
      this.#ends.video = null
      this.#ends.audio = null
      this.#newestMs = timeMs
    } else if (this.#open !== null && this.#mustCut(this.#open, track, packet, timeMs)) {
      this.#endSegment(timeMs)
    }
    this.#open ??= {
      period: this.#periods.length - 1,
      start: packet.offset,
      timestamp: packet.timestamp,
      timeMs,
      end,
      videoFrames: 0,
      audioFrames: 0,
      frameBytes: 0,
    }
    if (this.#segments.length === 0) this.#leadMs = Math.max(this.#leadMs, this.#open.timeMs - timeMs)
    this.#open.end = end
    this.#open.frameBytes += coded.end - coded.start
    if (track === 'video') this.#open.videoFrames += 1
    else this.#open.audioFrames += 1
    this.#newestMs = Math.max(this.#newestMs, timeMs)
    this.#noteEnd(track, timeMs)
  }

  #mustCut(open: OpenSegment, track: TrackName, packet: Packet, timeMs: number): boolean {
    const lengthMs = timeMs - open.timeMs
    if (lengthMs <= 0) return false
    const { video } = this.#periods[open.period]!
    const isKey = track === 'video' && (packet.flags & keyFrameFlag) !== 0
    if (isKey) return lengthMs >= this.#fragmentMs - toleranceMs
    if (video === null) return lengthMs >= this.#fragmentMs
    return lengthMs >= overdueMs || open.frameBytes >= overdueBytes
  }

  /** When the last frame ends. */
  get #endMs(): number {
    const { video, audio } = this.#ends
    return Math.max(...[video, audio].map((end) => (end === null ? 0 : end.lastMs + end.frameMs)))
  }

  #noteEnd(track: TrackName, timeMs: number): void {
    const end = this.#ends[track]
    if (end === null) {
      this.#ends[track] = { lastMs: timeMs, frameMs: defaultFrameMs }
    } else if (timeMs > end.lastMs) {
      end.frameMs = Math.min(timeMs - end.lastMs, maxFrameMs)
      end.lastMs = timeMs
    }
  }

  #endSegment(endMs: number): void {
    const open = this.#open
    if (open === null) return
    this.#open = null
    const { period, start, end, timestamp, timeMs, videoFrames, audioFrames, frameBytes } = open
    this.#segments.push({
      period,
      // A segment of one late frame is not empty.
      durationMs: Math.max(1, endMs - timeMs),
      videoFrames,
      audioFrames,
      frameBytes,
      slice: { kind: 'flv', start, end, timestamp, timeMs },
    })
  }
}
