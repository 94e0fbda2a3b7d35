/**
 * What is known of a recording once it has been looked through: which tracks it has and where it is cut. It is plain
 * data, for it goes from one thread to another.
 */

/** Codecs that segments carry. */
export type CarriedCodec = 'H264' | 'HEVC' | 'AAC' | 'MP3'

export type TrackName = 'video' | 'audio'

/** How a track is to be decoded. */
export interface TrackHeader {
  readonly codec: CarriedCodec
  /** An FLV tag body that says it: the sequence header, or a frame where the codec has none. */
  readonly body: Uint8Array
  /** Offset in an FLV file from which on frames of the track can be decoded; 0 for other files. */
  readonly from: number
}

/** A part of a recording within which neither the codecs change nor the time jumps. */
export interface Period {
  video: TrackHeader | null
  audio: TrackHeader | null
}

/** Which bytes of an FLV file a segment is made of. */
export interface FlvSlice {
  readonly kind: 'flv'
  /** Offset of the first tag, and behind the last one. */
  readonly start: number
  readonly end: number
  /** Timestamp of the first frame as it is in the file, and counted on where timestamps wrap. */
  readonly timestamp: number
  readonly timeMs: number
}

/** Which frames of an MP4 file a segment is made of. */
export interface Mp4Slice {
  readonly kind: 'mp4'
  /** Time of the first video frame in decoding order, in seconds; null: there is no video. */
  readonly videoTime: number | null
  /** Audio frames from this time on up to that one, in seconds; null: from the first, to the last one. */
  readonly audioTime: number | null
  readonly audioEnd: number | null
  /** How much earlier pictures are decoded than the one is shown that is shown at the same place in the order. */
  readonly reorderMs: number
  /** What is added to all times so that none is below zero. */
  readonly shiftMs: number
}

/** A segment of a recording. */
export interface Segment {
  /** Index in {@link RecordingIndex.periods}. */
  readonly period: number
  readonly durationMs: number
  readonly videoFrames: number
  /** Of an MP4 file they are not counted: 0. */
  readonly audioFrames: number
  /** Bytes of all frames, without the headers of their container; of an MP4 file those of the video. */
  readonly frameBytes: number
  readonly slice: FlvSlice | Mp4Slice
}

export interface RecordingIndex {
  readonly periods: readonly Period[]
  readonly segments: readonly Segment[]
  /** How much earlier a frame of an FLV file is than the first one in it: tracks are loosely interleaved. */
  readonly leadMs: number
  /** Why tracks were left out; empty when none was. */
  readonly leftOut: readonly string[]
}

/** A frame of a recording: the bytes of `body` from `start` up to `end`. */
export interface Sample {
  readonly track: TrackName
  readonly isKey: boolean
  readonly decodeMs: number
  readonly presentationMs: number
  readonly body: Buffer
  readonly start: number
  readonly end: number
}

/** A segment's length is as good as reached when it lacks no more than this: times are rounded. */
export const toleranceMs = 20

/** Without a key frame for so long, or for so many bytes, a segment ends at any frame: it has to fit into memory. */
export const overdueMs = 60_000
export const overdueBytes = 32 * 1024 * 1024
