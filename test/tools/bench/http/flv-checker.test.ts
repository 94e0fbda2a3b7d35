import { describe, expect, test } from 'vitest'
import { encodeTag, flvHeader } from '../../../../src/media/flv/writer.ts'
import type { PacketType } from '../../../../src/media/packet.ts'
import { FlvChecker } from '../../../../src/tools/bench/http/flv-checker.ts'
import { withStamp, writeStamp } from '../../../../src/tools/bench/stamp.ts'
import { PlayStatistics, StreamChecker } from '../../../../src/tools/bench/stream-checker.ts'
import { interFrame, keyFrame, sampleTags } from '../sample-clip.ts'

const opening = flvHeader({ audio: true, video: true })
const sample = Buffer.concat([opening, ...sampleTags.map((tag) => encodeTag(...tag))])

/** What is counted of a stream that comes in pieces of a size. */
function check(wire: Buffer, size = wire.length): PlayStatistics & { started: boolean } {
  const statistics = new PlayStatistics()
  const stream = new StreamChecker(statistics, 0)
  const checker = new FlvChecker(stream)
  for (let at = 0; at < wire.length; at += size) {
    // As in the buffer that all reads share: other bytes around it.
    const piece = Buffer.concat([Buffer.of(0xee), wire.subarray(at, at + size), Buffer.of(0xee)])
    checker.push(piece, 1, piece.length - 1, 5)
  }
  return Object.assign(statistics, { started: stream.finish() })
}

function stampedTag(sequence: number, timestamp: number): Buffer {
  const body = withStamp(Buffer.concat([interFrame, Buffer.alloc(300)]))
  writeStamp(body, sequence, 1)
  return encodeTag(9, timestamp, body)
}

const sizes = [1, 2, 3, 10, 15, 16, 17, 64, 100, 1000]

describe('FlvChecker', () => {
  test.each(sizes)('finds nothing wrong with a clip in pieces of %i bytes', (size) => {
    expect(check(sample, size)).toMatchObject({ started: true, gaps: 0, timestampErrors: 0 })
  })

  test.each(sizes)('reads times and stamps in pieces of %i bytes', (size) => {
    const times = [0x00ffffff, 0x01000000, 0x00ffffff]
    const tags = [7, 8, 10].map((sequence, index) => stampedTag(sequence, times[index]!))
    const checked = check(Buffer.concat([opening, encodeTag(9, 40, keyFrame), ...tags]), size)
    expect(checked).toMatchObject({ started: true, gaps: 1, timestampErrors: 1 })
    expect(checked.latency.count).toBe(3)
    expect(checked.latency.maxMs).toBe(4)
  })

  test('takes a body without bytes', () => {
    const wire = Buffer.concat([opening, encodeTag(8, 0, Buffer.alloc(0)), encodeTag(9, 0, keyFrame)])
    for (const size of sizes) expect(check(wire, size).started).toBe(true)
  })
})

/** A stream with one changed byte in the tag behind the opening. */
function changed(offset: number, value: number): Buffer {
  const wire = Buffer.concat([opening, encodeTag(9, 0, keyFrame)])
  wire[offset < 0 ? wire.length + offset : offset] = value
  return wire
}

describe('it is broken if', () => {
  const at = opening.length
  test.each([
    ['it does not begin with FLV', changed(0, 0x67)],
    ['the header is longer than one', changed(8, 10)],
    ['something is said to be before the first tag', changed(12, 1)],
    ['a tag has another type', changed(at, 10 as PacketType)],
    ['a tag has a stream', changed(at + 10, 1)],
    ['a tag is too long', changed(at + 1, 0xff)],
    ['the size behind a tag is wrong', changed(-1, 11)],
  ])('%s', (_, wire) => {
    const broken = expect.objectContaining({ code: 'FLV_FORMAT' })
    for (const size of sizes) expect(() => check(wire, size)).toThrow(broken)
  })
})
