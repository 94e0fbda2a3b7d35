import type { Packet } from '../packet.ts'
import type { RecordingFacts } from './facts.ts'

/** Where the bytes of a recording go, in order. */
export interface ByteSink {
  /** Offset in the buffer of {@link reserve} at which to go on. */
  readonly length: number
  /** A buffer with room for `size` bytes from {@link length} on, which may be changed. What it gets is written together. */
  reserve(size: number): Buffer
  /** Says how far the buffer was written. */
  advance(end: number): void
}

/**
 * A recording while it grows: takes packets, gives the bytes of a file. What stands at the beginning of the file is as
 * long at the end as it was at first, and takes the place of that.
 */
export interface Recording {
  /** As far as it is known. */
  readonly facts: RecordingFacts
  /** Bytes of the file, with what was given to the sink. */
  readonly bytes: number
  /** Whether the file can have a header or frame, or another file has to begin with it. */
  fits(packet: Packet): boolean
  /** Takes metadata, a sequence header or the like. */
  header(packet: Packet, timeMs: number): void
  /** Takes a frame, or data. @param timeMs not before that of the last one */
  frame(packet: Packet, timeMs: number): void
  /** Gives what was held back to the sink. */
  flush(): void
  /** The beginning of the file as it is to be now. */
  head(): Buffer
}

/** How much of a file is read to know what it is: heads are no longer. */
export const maxHeadBytes = 64 * 1024

/** What begins a fresh recording, before any packet has come. */
export type NewRecording = Pick<RecordingFacts, 'vhost' | 'app' | 'stream' | 'startedAtMs'>

/** How long a track's last frame is taken for where it cannot be told, in milliseconds, and what is believed at most. */
const defaultFrameMs = 40
const maxFrameMs = 1000

/** When the frames of a track end. */
export class TrackEnd {
  #lastMs: number | null = null
  #frameMs = defaultFrameMs

  note(timeMs: number): void {
    if (this.#lastMs !== null && timeMs > this.#lastMs) {
      this.#frameMs = Math.min(timeMs - this.#lastMs, maxFrameMs)
    }
    this.#lastMs = Math.max(this.#lastMs ?? 0, timeMs)
  }

  /** In milliseconds; 0 without a frame. */
  get endMs(): number {
    return this.#lastMs === null ? 0 : this.#lastMs + this.#frameMs
  }
}

/** When the last frame of either track ends, in milliseconds. */
export function endOf({ video, audio }: { readonly video: TrackEnd; readonly audio: TrackEnd }): number {
  return Math.max(video.endMs, audio.endMs)
}
