import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeMessage, type MessageHeader, wireSize, writeMessage } from '../../src/rtmp/chunk-writer.ts'
import { hex } from './bytes.ts'

const cases: {
  name: string
  header: MessageHeader
  body: Buffer
  chunkSize: number
  wire: Buffer
}[] = [
  {
    name: 'a message that fits into one chunk',
    header: { chunkStreamId: 4, type: 8, streamId: 1, timestamp: 0x0a0b0c },
    body: hex('af01 2233'),
    chunkSize: 128,
    wire: hex('04 0a0b0c 000004 08 01000000 af012233'),
  },
  {
    name: 'a message in three chunks',
    header: { chunkStreamId: 6, type: 9, streamId: 0x01020304, timestamp: 5 },
    body: hex('0001020304'),
    chunkSize: 2,
    wire: hex('06 000005 000005 09 04030201 0001 c6 0203 c6 04'),
  },
  {
    name: 'a body that ends with a chunk',
    header: { chunkStreamId: 6, type: 9, streamId: 1, timestamp: 5 },
    body: hex('00010203'),
    chunkSize: 2,
    wire: hex('06 000005 000004 09 01000000 0001 c6 0203'),
  },
  {
    name: 'an empty body',
    header: { chunkStreamId: 5, type: 18, streamId: 1, timestamp: 0 },
    body: hex(''),
    chunkSize: 128,
    wire: hex('05 000000 000000 12 01000000'),
  },
  {
    name: 'the last time that needs no extended timestamp',
    header: { chunkStreamId: 4, type: 8, streamId: 1, timestamp: 0xfffffe },
    body: hex('aa'),
    chunkSize: 128,
    wire: hex('04 fffffe 000001 08 01000000 aa'),
  },
  {
    name: 'the first time that needs one',
    header: { chunkStreamId: 4, type: 8, streamId: 1, timestamp: 0xffffff },
    body: hex('aa'),
    chunkSize: 128,
    wire: hex('04 ffffff 000001 08 01000000 00ffffff aa'),
  },
  {
    name: 'an extended timestamp that type 3 chunks repeat',
    header: { chunkStreamId: 4, type: 8, streamId: 1, timestamp: 0xfedcba98 },
    body: hex('aabb'),
    chunkSize: 1,
    wire: hex('04 ffffff 000002 08 01000000 fedcba98 aa c4 fedcba98 bb'),
  },
  {
    name: 'the smallest chunk stream id of two bytes',
    header: { chunkStreamId: 64, type: 8, streamId: 0, timestamp: 0 },
    body: hex('aabb'),
    chunkSize: 1,
    wire: hex('0000 000000 000002 08 00000000 aa c000 bb'),
  },
  {
    name: 'the largest chunk stream id of two bytes',
    header: { chunkStreamId: 319, type: 8, streamId: 0, timestamp: 0 },
    body: hex('aabb'),
    chunkSize: 1,
    wire: hex('00ff 000000 000002 08 00000000 aa c0ff bb'),
  },
  {
    name: 'the smallest chunk stream id of three bytes',
    header: { chunkStreamId: 320, type: 8, streamId: 0, timestamp: 0 },
    body: hex('aabb'),
    chunkSize: 1,
    wire: hex('010001 000000 000002 08 00000000 aa c10001 bb'),
  },
  {
    name: 'the largest chunk stream id',
    header: { chunkStreamId: 65599, type: 8, streamId: 0, timestamp: 0 },
    body: hex('aabb'),
    chunkSize: 1,
    wire: hex('01ffff 000000 000002 08 00000000 aa c1ffff bb'),
  },
]

describe('encodeMessage', () => {
  it.each(cases)('writes $name', ({ header, body, chunkSize, wire }) => {
    expect(encodeMessage(header, body, chunkSize).toString('hex')).toBe(wire.toString('hex'))
  })
})

describe('wireSize', () => {
  it.each(cases)('foretells the size of $name', ({ header, body, chunkSize, wire }) => {
    expect(wireSize(header.chunkStreamId, body.length, header.timestamp, chunkSize)).toBe(wire.length)
  })
})

describe('writeMessage', () => {
  it('writes a part of the source where it is told, and nothing around it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 65599 }),
        fc.oneof(fc.nat(0xffffff), fc.integer({ min: 0xfffff0, max: 0xffffffff })),
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 310 }),
        fc.nat(20),
        (chunkStreamId, timestamp, body, chunkSize, margin) => {
          const header = { chunkStreamId, type: 9, streamId: 1, timestamp }
          const expected = encodeMessage(header, Buffer.from(body), chunkSize)
          const source = Buffer.concat([Buffer.alloc(margin, 1), body, Buffer.alloc(3, 2)])
          const target = Buffer.alloc(margin + expected.length + 5, 0xee)
          const end = margin + body.length
          const { streamId, type } = header
          const at = writeMessage(
            target,
            margin,
            chunkStreamId,
            type,
            streamId,
            timestamp,
            source,
            margin,
            end,
            chunkSize,
          )
          expect(at).toBe(margin + expected.length)
          expect(target.subarray(margin, at)).toEqual(expected)
          const around = Buffer.concat([target.subarray(0, margin), target.subarray(at)])
          expect(around).toEqual(Buffer.alloc(margin + 5, 0xee))
        },
      ),
    )
  })
})
