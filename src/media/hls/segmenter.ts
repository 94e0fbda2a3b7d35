import { codeOf, messageOf } from '../../base/errors.ts'
import { readCodedBody } from '../coded-body.ts'
import {
  audioType,
  codecName,
  dataType,
  isKeyFrame,
  type Packet,
  type PacketType,
  sequenceHeaderFlag,
  videoType,
} from '../packet.ts'
import { UnwrappedTime } from '../timestamp-delta.ts'
import { isSameAudio, readAudioFormat } from '../ts/audio-format.ts'
import type { TsSink } from '../ts/layout.ts'
import { TsMuxer, type TsTracks } from '../ts/muxer.ts'
import { isSameVideo, readVideoFormat } from '../ts/video-format.ts'
import { AbsoluteCuts, absoluteMs } from './absolute-cuts.ts'
import { Opening } from './opening.ts'

/** How a stream is cut. */
export interface SegmenterOptions {
  /** The length of a segment, if key frames allow (`hls_fragment`). */
  readonly fragmentMs: number
  /** After so many lengths a segment is cut at audio, key frame or not (`hls_aof_ratio`). */
  readonly overdueRatio: number
  /** Segments begin with key frames (`hls_wait_keyframe`). */
  readonly waitKeyFrame: boolean
  /** Segments follow the clock's multiples of their length (`hls_ts_floor`). */
  readonly floor: boolean
  /** False: the track is left out (`hls_vcodec vn`, `hls_acodec an`). */
  readonly video: boolean
  readonly audio: boolean
}

/** What is known of a segment when it begins. */
export interface SegmentStart {
  /** Time of the wall clock, or the stream's if that is absolute, in milliseconds since 1970. */
  readonly atMs: number
  /** With `floor`, the number of the clock's period, one more than the last segment's at least; else `atMs`. */
  readonly timestamp: number
  /** The number it shall have, as all servers give it that have the stream with absolute timestamps; null: the next one. */
  readonly sequence: number | null
  /** It does not go on where the one before it ended. */
  readonly discontinuity: boolean
}

/** Where the segments go. Nothing is written between two of them. */
export interface SegmentOutput extends TsSink {
  beginSegment(start: SegmentStart): void
  endSegment(durationMs: number): void
}

/** Streams whose timestamps are absolute (`atc`): they are cut and numbered by these; see {@link AbsoluteCuts}. */
export interface AbsoluteTimes {
  /** Whether the present publisher's are; it may find out after the publish has begun. */
  isOn(): boolean
  /** The numbers are not those of other servers. */
  onLost(reason: string): void
}

/** At a key frame a segment that is too short by this is long enough: times are rounded, and the next one is far. */
const toleranceMs = 20

/** Steps of the stream's time beyond these are jumps to another time. */
const maxStepMs = 10_000
const maxStepBackMs = 2000

/** The length of a frame where it cannot be told, in milliseconds. */
const defaultFrameMs = 40

/** Audio frames of so much time share a PES packet. */
const audioGroupMs = 90

/** What a segment can carry, by the names of {@link codecName}. */
const segmentCodecs = new Set(['H264', 'HEVC', 'AAC', 'MP3', 'MP3-8k'])

/**
 * Cuts a live stream into segments of MPEG-TS, each of which can be played alone, and decides where.
 *
 * It begins a segment at the first key frame that comes when the one before is long enough; where there is no video
 * at any audio frame; and, when a key frame is overdue, at an audio frame too. Other codecs, another publisher and
 * jumps of the time end a segment at once, and the next one begins behind a discontinuity.
 * With absolute timestamps a segment begins at the first key frame of each period instead.
 */
export class Segmenter {
  readonly #output: SegmentOutput
  readonly #onUnusable: (reason: string) => void
  readonly #absolute: AbsoluteTimes
  readonly #muxer = new TsMuxer(audioGroupMs)
  readonly #opening = new Opening()
  readonly #time = new UnwrappedTime()
  #options: SegmenterOptions
  /** What the headers say that there is. */
  #tracks: TsTracks = { video: null, audio: null }
  /** Types of packets of which some cannot be written; it is told once for each. */
  readonly #unusable = new Set<PacketType>()
  #isOpen = false
  #discontinuity = true
  /** When the segment began, and the newest time of the stream. */
  #startMs = 0
  #newestMs = 0
  /** Time of the last frame that was written of the video, or of the audio where it is alone, and how long it is. */
  #lastFrameMs: number | null = null
  #frameMs = defaultFrameMs
  #segmentHasVideo = false
  /** With `floor`, the clock's period that the segment is for. */
  #period = 0
  /** Of a stream with absolute timestamps; and what makes its time of one that was counted from the first timestamp. */
  #cuts: AbsoluteCuts | null = null
  #baseMs = 0

  /** @param onUnusable hears, once for each publish and track, what of the stream cannot be written */
  constructor(
    output: SegmentOutput,
    options: SegmenterOptions,
    onUnusable: (reason: string) => void,
    absolute: AbsoluteTimes = notAbsolute,
  ) {
    this.#absolute = absolute
    this.#output = output
    this.#options = options
    this.#onUnusable = onUnusable
  }

  /** Applies changed settings to the running segment and those after it. */
  set options(options: SegmenterOptions) {
    this.#options = options
  }

  /** A publisher begins: a segment with what its headers announce. */
  restart(): void {
    this.idle()
    this.#tracks = { video: null, audio: null }
    this.#unusable.clear()
  }

  /** The publisher left: what there is becomes a segment. */
  idle(): void {
    const lastFrameEndMs = (this.#lastFrameMs ?? this.#newestMs) + this.#frameMs
    this.#endSegment(Math.max(lastFrameEndMs, this.#newestMs))
    this.#opening.clear()
    this.#cuts?.restart()
    this.#discontinuity = true
    this.#lastFrameMs = null
  }

  /**
   * Takes the stream's next packet. The bodies of some are kept for a moment.
   * @param nowMs the wall clock's time, in milliseconds since 1970
   */
  push(packet: Packet, nowMs: number): void {
    if (packet.type === dataType || !this.#options[trackOf(packet)]) return
    this.#readFormat(packet)
    if (this.#tracks[trackOf(packet)] === null || !isFrame(packet)) return
    const timeMs = this.#timeOf(packet, nowMs)
    // The segment began without video, which had no key frame for too long.
    if (this.#isOpen && isKeyFrame(packet) && this.#muxer.tracks.video === null) this.idle()
    if (this.#isOpen) this.#write(packet, timeMs, nowMs)
    else if (this.#opening.begun || this.#mayBegin(packet, timeMs)) {
      this.#opening.push(packet, timeMs, this.#tracks)
      this.#tryOpen(nowMs)
    }
  }

  #mayBegin(packet: Packet, timeMs: number): boolean {
    if (this.#cuts === null) return true
    const { fragmentMs, overdueRatio } = this.#options
    const isBeginning = this.#tracks.video === null || isKeyFrame(packet)
    return this.#cuts.mayBegin(timeMs, isBeginning, fragmentMs, fragmentMs * (overdueRatio + 1))
  }

  /** Takes from a header, or a frame that says it all, how a track is carried; a change ends the segment. */
  #readFormat(packet: Packet): void {
    const { video, audio } = this.#tracks
    if (!(packet.flags & sequenceHeaderFlag) && this.#tracks[trackOf(packet)] !== null) return
    if (packet.type === videoType) {
      const format = this.#usable(packet, readVideoFormat)
      if (format === null || (video !== null && isSameVideo(video, format))) return
      this.#tracks = { video: format, audio }
    } else {
      const format = this.#usable(packet, readAudioFormat)
      if (format === null || (audio !== null && isSameAudio(audio, format))) return
      this.#tracks = { video, audio: format }
    }
    if (this.#isOpen) this.idle()
  }

  #usable<T>(packet: Packet, read: (packet: Packet) => T | null): T | null {
    const codec = codecName(packet.type, packet.body)
    if (codec === null) return null
    if (!segmentCodecs.has(codec)) {
      this.#tellUnusable(packet.type, `${codec} has no place in a segment`)
      return null
    }
    try {
      return read(packet)
    } catch (error) {
      if (codeOf(error) !== 'MEDIA_FORMAT') throw error
      this.#tellUnusable(packet.type, messageOf(error))
      return null
    }
  }

  #tellUnusable(type: PacketType, reason: string): void {
    if (this.#unusable.has(type)) return
    this.#unusable.add(type)
    this.#onUnusable(reason)
  }

  /** The time of a frame; where it has jumped, what came before it is ended. */
  #timeOf({ timestamp }: Packet, nowMs: number): number {
    const countedMs = this.#time.next(timestamp)
    const step = countedMs + this.#baseMs - this.#newestMs
    const hasJumped = step > maxStepMs || step < -maxStepBackMs
    if (hasJumped && this.#goesOn) this.idle()
    if (!this.#goesOn) {
      const isAbsolute = this.#absolute.isOn()
      this.#cuts = isAbsolute ? new AbsoluteCuts((reason) => this.#absolute.onLost(reason)) : null
      this.#baseMs = isAbsolute ? absoluteMs(timestamp, nowMs) - countedMs : 0
    }
    const timeMs = countedMs + this.#baseMs
    this.#newestMs = this.#goesOn ? Math.max(this.#newestMs, timeMs) : timeMs
    return timeMs
  }

  /** Whether the stream's time goes on from what was before. */
  get #goesOn(): boolean {
    return this.#isOpen || this.#opening.begun || (this.#cuts?.begun ?? false)
  }

  #tryOpen(nowMs: number): void {
    const { fragmentMs, overdueRatio, video, audio } = this.#options
    const tracks = this.#opening.decide(this.#newestMs, this.#tracks, {
      video: video && !this.#unusable.has(videoType),
      audio: audio && !this.#unusable.has(audioType),
      keyFrameMs: fragmentMs * overdueRatio,
    })
    if (tracks === null) return
    const held = this.#opening.take()
    this.#muxer.tracks = tracks
    for (const { packet, timeMs } of held) this.#write(packet, timeMs, nowMs)
  }

  #write(packet: Packet, timeMs: number, nowMs: number): void {
    const { video } = this.#muxer.tracks
    const isVideo = packet.type === videoType
    if (this.#muxer.tracks[trackOf(packet)] === null) return
    if (!this.#isOpen) this.#beginSegment(timeMs, nowMs)
    else if (this.#mustCut(packet, timeMs, nowMs)) {
      this.#endSegment(timeMs)
      this.#beginSegment(timeMs, nowMs)
    }
    if (isVideo || video === null) this.#noteFrame(timeMs)
    if (isVideo) {
      this.#segmentHasVideo = true
      this.#muxer.writeVideo(this.#output, packet, timeMs)
    } else this.#muxer.writeAudio(this.#output, packet, timeMs)
  }

  #mustCut(packet: Packet, timeMs: number, nowMs: number): boolean {
    const { fragmentMs, overdueRatio, waitKeyFrame, floor } = this.#options
    const lengthMs = timeMs - this.#startMs
    if (lengthMs <= 0) return false
    const isVideo = packet.type === videoType
    const isKey = isKeyFrame(packet)
    const needsKeyFrame =
      this.#cuts === null
        ? waitKeyFrame && (isVideo || this.#segmentHasVideo)
        : this.#muxer.tracks.video !== null
    if (isKey || !needsKeyFrame) {
      if (this.#cuts !== null) return this.#cuts.mustCut(timeMs, fragmentMs)
      if (floor) return Math.floor(nowMs / fragmentMs) > this.#period
      return lengthMs >= (isKey ? fragmentMs - toleranceMs : fragmentMs)
    }
    const isOverdue = lengthMs >= fragmentMs * overdueRatio
    return isOverdue && (!isVideo || this.#muxer.tracks.audio === null)
  }

  #beginSegment(timeMs: number, nowMs: number): void {
    const { floor, fragmentMs } = this.#options
    // It may be off by now (reload).
    if (this.#cuts !== null && !this.#absolute.isOn()) this.#cuts = null
    const sequence = this.#cuts?.begin(timeMs, fragmentMs) ?? null
    const atMs = sequence === null ? nowMs : timeMs
    if (floor) this.#period = sequence ?? Math.max(Math.floor(nowMs / fragmentMs), this.#period + 1)
    const timestamp = floor ? this.#period : atMs
    this.#output.beginSegment({ atMs, timestamp, sequence, discontinuity: this.#discontinuity })
    this.#discontinuity = false
    this.#isOpen = true
    this.#segmentHasVideo = false
    this.#startMs = timeMs
    this.#muxer.writeTables(this.#output, timeMs)
  }

  /** @param endMs when the next one begins, or the last frame ends */
  #endSegment(endMs: number): void {
    if (!this.#isOpen) return
    this.#muxer.flush(this.#output)
    this.#isOpen = false
    // A segment of one late frame is not empty.
    this.#output.endSegment(Math.max(1, endMs - this.#startMs))
  }

  #noteFrame(timeMs: number): void {
    if (this.#lastFrameMs !== null && timeMs > this.#lastFrameMs) this.#frameMs = timeMs - this.#lastFrameMs
    this.#lastFrameMs = timeMs
  }
}

/** The end of a sequence and the like are no frames, and may have times that no frame has. */
function isFrame({ type, body }: Packet): boolean {
  const coded = readCodedBody(type, body)
  return coded?.content === 'frame' && coded.end > coded.start
}

function trackOf({ type }: Packet): 'video' | 'audio' {
  return type === videoType ? 'video' : 'audio'
}

const notAbsolute: AbsoluteTimes = { isOn: () => false, onLost: () => {} }
