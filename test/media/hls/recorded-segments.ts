import type { SegmentOutput, SegmentStart } from '../../../src/media/hls/segmenter.ts'
import { ListSink } from '../ts/list-sink.ts'
import { parseTs, type TransportStream } from '../ts/ts-parser.ts'

export interface RecordedSegment extends SegmentStart {
  readonly durationMs: number
  readonly bytes: Buffer
}

/** Keeps segments. It is an error to write between two of them, or to begin one within another. */
export class RecordedSegments implements SegmentOutput {
  readonly segments: RecordedSegment[] = []
  #start: SegmentStart | null = null
  #sink = new ListSink()

  get length(): number {
    return this.#sink.length
  }

  reserve(size: number): Buffer {
    if (this.#start === null) throw new Error('written between two segments')
    return this.#sink.reserve(size)
  }

  advance(end: number): void {
    this.#sink.advance(end)
  }

  beginSegment(start: SegmentStart): void {
    if (this.#start !== null) throw new Error('began a segment within another')
    this.#start = start
    this.#sink = new ListSink()
  }

  endSegment(durationMs: number): void {
    if (this.#start === null) throw new Error('ended no segment')
    this.segments.push({ ...this.#start, durationMs, bytes: this.#sink.bytes })
    this.#start = null
  }

  get durations(): number[] {
    return this.segments.map(({ durationMs }) => durationMs)
  }

  /** Each segment as a strict decoder sees it, with continuity counters that go on. */
  parsed(): TransportStream[] {
    let counters: ReadonlyMap<number, number> = new Map()
    return this.segments.map(({ bytes }) => {
      const stream = parseTs(bytes, counters)
      counters = stream.counters
      return stream
    })
  }
}
