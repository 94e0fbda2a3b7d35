import type { Period, RecordingIndex, Segment } from '../../media/vod/recording.ts'

/** A recording as it was when it was looked at. */
export interface RecordingFile {
  /** Absolute. */
  readonly path: string
  /** Changes whenever the file does: made of its size and time. */
  readonly version: string
}

/** What the threads are asked to do. It goes from one thread to another: plain data. */
export type VodTask =
  | { readonly kind: 'index'; readonly file: RecordingFile; readonly fragmentMs: number }
  | {
      readonly kind: 'ts'
      readonly file: RecordingFile
      readonly period: Period
      readonly segment: Segment
    }
  | { readonly kind: 'mp4-head'; readonly file: RecordingFile; readonly index: RecordingIndex }
  | {
      readonly kind: 'mp4-fragment'
      readonly file: RecordingFile
      readonly period: Period
      readonly segment: Segment
      /** From 1 on. */
      readonly sequence: number
      /** When the fragment begins in the MP4 file, in milliseconds. */
      readonly startMs: number
    }

/** An error as it comes from a thread: its code would not survive the way. */
export interface VodFailure {
  readonly failed: true
  readonly code: string
  readonly message: string
}

export type VodResult = RecordingIndex | Uint8Array | VodFailure

export function isFailure(result: VodResult): result is VodFailure {
  return 'failed' in result
}
