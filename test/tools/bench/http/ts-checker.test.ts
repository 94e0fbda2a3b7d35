import { describe, expect, test } from 'vitest'
import { audioType, type Packet, videoType } from '../../../../src/media/packet.ts'
import { readAudioFormat } from '../../../../src/media/ts/audio-format.ts'
import { packetBytes } from '../../../../src/media/ts/layout.ts'
import { TsMuxer } from '../../../../src/media/ts/muxer.ts'
import { readVideoFormat } from '../../../../src/media/ts/video-format.ts'
import { TsChecker } from '../../../../src/tools/bench/http/ts-checker.ts'
import { withStamp, writeStamp } from '../../../../src/tools/bench/stamp.ts'
import { PlayStatistics, StreamChecker } from '../../../../src/tools/bench/stream-checker.ts'
import { ListSink } from '../../../media/ts/list-sink.ts'
import { aacFrame, aacHeader, avcFrame, avcHeader } from '../../../media/ts/packets.ts'

const tracks = { video: readVideoFormat(avcHeader()), audio: readAudioFormat(aacHeader()) }

/** Writes segments that go on one after the other, each of pictures with these numbers. */
class Maker {
  readonly #muxer = new TsMuxer(90)

  constructor() {
    this.#muxer.tracks = tracks
  }

  segment(numbers: readonly number[], startMs = numbers[0]! * 40): Buffer {
    const sink = new ListSink()
    this.#muxer.writeTables(sink, startMs)
    for (const [index, number] of numbers.entries()) {
      const timeMs = startMs + index * 40
      this.#write(sink, stamped(number, index === 0, timeMs))
      this.#write(sink, aacFrame(timeMs, 100, number))
    }
    this.#muxer.flush(sink)
    return sink.bytes
  }

  #write(sink: ListSink, packet: Packet): void {
    if (packet.type === videoType) this.#muxer.writeVideo(sink, packet, packet.timestamp)
    else if (packet.type === audioType) this.#muxer.writeAudio(sink, packet, packet.timestamp)
  }
}

function stamped(number: number, isKey: boolean, timeMs: number): Packet {
  const frame = avcFrame(isKey, timeMs, { units: [Buffer.alloc(400, isKey ? 0x65 : 0x41)] })
  const body = withStamp(frame.body)
  writeStamp(body, number, 10)
  return { ...frame, body }
}

interface Segment {
  readonly bytes: Buffer
  readonly goesOn?: boolean
}

function check(segments: readonly Segment[], size = 1e6): PlayStatistics & { started: boolean } {
  const statistics = new PlayStatistics()
  const stream = new StreamChecker(statistics, 0)
  const checker = new TsChecker(stream)
  for (const { bytes, goesOn = true } of segments) {
    checker.beginSegment(goesOn)
    for (let at = 0; at < bytes.length; at += size) {
      const piece = Buffer.concat([Buffer.of(0xee), bytes.subarray(at, at + size), Buffer.of(0xee)])
      checker.push(piece, 1, piece.length - 1, 15)
    }
    checker.endSegment(15)
  }
  return Object.assign(statistics, { started: stream.finish() })
}

describe('segments that go on', () => {
  test.each([1, 7, 100, 188, 189, 1e6])('in pieces of %i bytes', (size) => {
    const maker = new Maker()
    const segments = [{ bytes: maker.segment([3, 4, 5]) }, { bytes: maker.segment([6, 7]) }]
    const checked = check(segments, size)
    expect(checked).toMatchObject({ started: true, gaps: 0, timestampErrors: 0 })
    expect(checked.latency.count).toBe(5)
    expect(checked.latency.maxMs).toBe(5)
  })

  test('over the end of the 33 bits of their times', () => {
    const maker = new Maker()
    const endMs = Math.floor(2 ** 33 / 90)
    const segments = [
      { bytes: maker.segment([0, 1], endMs - 1060) },
      { bytes: maker.segment([2, 3], endMs - 980) },
    ]
    expect(check(segments)).toMatchObject({ gaps: 0, timestampErrors: 0 })
  })

  test('of sound alone', () => {
    const muxer = new TsMuxer(90)
    muxer.tracks = { video: null, audio: tracks.audio }
    const sink = new ListSink()
    muxer.writeTables(sink, 0)
    for (const time of [0, 23, 46]) muxer.writeAudio(sink, aacFrame(time, 100, 0), time)
    muxer.flush(sink)
    expect(check([{ bytes: sink.bytes }])).toMatchObject({ started: true, gaps: 0 })
  })
})

describe('what is missing', () => {
  test('a packet counts once, though a picture has its number in it', () => {
    const bytes = new Maker().segment([0, 1, 2])
    const isPicture = (at: number): boolean => (bytes.readUInt16BE(at + 1) & 0x5fff) === 0x4100
    const starts = Array.from({ length: bytes.length / packetBytes }, (_, i) => i * packetBytes).filter(
      isPicture,
    )
    expect(starts).toHaveLength(3)
    const at = starts[1]!
    const cut = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + packetBytes)])
    expect(check([{ bytes: cut }])).toMatchObject({ gaps: 1, timestampErrors: 0 })
  })

  test('a packet that is there twice is no gap', () => {
    const bytes = new Maker().segment([0, 1])
    const twice = Buffer.concat([bytes.subarray(0, 3 * packetBytes), bytes.subarray(2 * packetBytes)])
    expect(check([{ bytes: twice }])).toMatchObject({ gaps: 0, timestampErrors: 0 })
  })

  test('a picture that is not there', () => {
    expect(check([{ bytes: new Maker().segment([0, 2, 3]) }])).toMatchObject({ gaps: 1 })
  })

  test('another clock and other counters behind a discontinuity are none', () => {
    const first = { bytes: new Maker().segment([100, 101, 102]) }
    const other = new Maker().segment([103, 104], 0)
    expect(check([first, { bytes: other, goesOn: false }])).toMatchObject({ gaps: 0, timestampErrors: 0 })
    const checked = check([first, { bytes: other }])
    expect(checked.gaps).toBeGreaterThan(0)
    expect(checked.timestampErrors).toBeGreaterThan(0)
  })
})

describe('a segment is broken if', () => {
  const bytes = new Maker().segment([0])
  const changed = (at: number, value: number): Buffer => {
    const copy = Buffer.from(bytes)
    copy[at] = value
    return copy
  }
  test.each([
    ['a packet does not begin with the sync byte', changed(packetBytes, 0x48)],
    ['it ends within a packet', bytes.subarray(0, -1)],
    ['a packet says that it is broken', changed(1, bytes[1]! | 0x80)],
    ['an adaptation field is too long', changed(2 * packetBytes + 4, 200)],
    ['a picture has no start code', changed(2 * packetBytes + 5 + bytes[2 * packetBytes + 4]!, 1)],
    ['a table does not fit into its packet', changed(4, 180)],
  ])('%s', (_, broken) => {
    expect(() => check([{ bytes: broken }])).toThrow(expect.objectContaining({ code: 'TS_FORMAT' }))
  })
})
