import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { audioType, videoType } from '../../../src/media/packet.ts'
import {
  isStampable,
  readStamp,
  type Stamp,
  stampEnd,
  withStamp,
  writeStamp,
} from '../../../src/tools/bench/stamp.ts'
import { hex } from '../../rtmp/bytes.ts'

/** A key frame with a composition time of 80 ms and one NAL unit of three bytes. */
const frame = hex('17 01 000050  00000003 65aabb')

function stampedFrame(sequence: number, sentMs: number): Buffer {
  const body = withStamp(frame)
  writeStamp(body, sequence, sentMs)
  return body
}

/** What is read of a body that lies somewhere in a larger buffer. */
function read(body: Buffer, length = body.length): Stamp | null {
  const bytes = Buffer.concat([Buffer.from('before'), body.subarray(0, length), Buffer.from('behind')])
  const stamp: Stamp = { sequence: 0, sentMs: 0 }
  return readStamp(bytes, 6, 6 + length, stamp) ? stamp : null
}

describe('a stamp', () => {
  test('is an SEI message of user data as the first NAL unit', () => {
    expect(stampedFrame(0x01020304, 1.5)).toStrictEqual(
      hex(`17 01 000050
        0000002c 06 05 28  b75e1f4a c86d4f2e 9a31d57c 48e6920b
        80818082 80838084  838f8f88 80808080 80808080 80808080  80
        00000003 65aabb`),
    )
  })

  test('brings every number and time back', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), fc.double({ noNaN: true }), (sequence, sentMs) => {
        expect(read(stampedFrame(sequence, sentMs))).toStrictEqual({ sequence, sentMs })
      }),
    )
  })

  test('never has the zeros in its NAL unit that would need emulation prevention', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 32 - 1), fc.double({ noNaN: true }), (sequence, sentMs) => {
        const unit = stampedFrame(sequence, sentMs).subarray(5 + 4, stampEnd)
        expect(unit.includes(Buffer.of(0, 0))).toBe(false)
      }),
    )
  })

  test('is read from the first bytes of the body alone, but from all of them', () => {
    const body = stampedFrame(7, 8)
    expect(read(body, stampEnd)).toStrictEqual({ sequence: 7, sentMs: 8 })
    expect(read(body, stampEnd - 1)).toBeNull()
  })

  test.each([
    ['a frame without one', Buffer.concat([frame, Buffer.alloc(stampEnd)])],
    ['another SEI message', Buffer.concat([frame.subarray(0, 5), hex('0000002c 0604'), Buffer.alloc(60)])],
    ['a sequence header', Buffer.concat([hex('17 00'), stampedFrame(1, 1).subarray(2)])],
    ['HEVC', Buffer.concat([hex('1c 01'), stampedFrame(1, 1).subarray(2)])],
    ['nothing', Buffer.alloc(0)],
  ])('is not found in %s', (_, body) => {
    expect(read(body)).toBeNull()
  })

  test('is room for in its frame only: the body it was made of stays', () => {
    const before = Buffer.from(frame)
    writeStamp(withStamp(frame), 1, 2)
    expect(frame).toStrictEqual(before)
  })
})

describe('isStampable', () => {
  test.each([
    ['a key frame', videoType, '17 01 000000 00', true],
    ['another frame', videoType, '27 01 000000 00', true],
    ['a sequence header', videoType, '17 00 000000 01', false],
    ['the end of the sequence', videoType, '17 02 000000', false],
    ['H.263', videoType, '12 01 000000 00', false],
    ['enhanced H.264', videoType, '97 01 000000 00', false],
    ['audio', audioType, '27 01 000000 00', false],
    ['a frame without data', videoType, '17 01 000000', false],
  ] as const)('%s', (_, type, digits, expected) => {
    expect(isStampable({ type, flags: 0, timestamp: 0, body: hex(digits) })).toBe(expected)
  })
})
