import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { FlvReader } from '../../../src/media/flv/reader.ts'
import type { FlvTag } from '../../../src/media/flv/tag.ts'
import { encodeTag, flvHeader } from '../../../src/media/flv/writer.ts'
import { audioType, dataType, type PacketType, videoType } from '../../../src/media/packet.ts'
import { hex } from '../bytes.ts'

const start = '464c56 01 05 00000009 00000000'
const formatError = expect.objectContaining({ code: 'FLV_FORMAT' })

function tagsOf(...pieces: Buffer[]): FlvTag[] {
  const reader = new FlvReader()
  return pieces.flatMap((piece) => reader.push(piece))
}

const tag = fc.record({
  type: fc.constantFrom<PacketType>(audioType, videoType, dataType),
  timestamp: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  body: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
})
const file = fc.array(tag, { maxLength: 5 }).map((tags) => {
  const encoded = tags.map(({ type, timestamp, body }) => encodeTag(type, timestamp, body))
  return { tags, bytes: Buffer.concat([flvHeader({ audio: true, video: true }), ...encoded]) }
})

describe('FlvReader', () => {
  test.each<[string, string, FlvTag[]]>([
    ['no tag', start, []],
    [
      'tags of all types',
      `${start} 08 000002 000017 00 000000 af01 0000000d 09 000001 000028 00 000000 17 0000000c
       12 000000 000028 00 000000 0000000b`,
      [
        { type: audioType, timestamp: 23, body: hex('af01'), offset: 13 },
        { type: videoType, timestamp: 40, body: hex('17'), offset: 30 },
        { type: dataType, timestamp: 40, body: hex(''), offset: 46 },
      ],
    ],
    [
      'a time of 32 bits',
      `${start} 08 000000 abcdef 89 000000 0000000b`,
      [{ type: audioType, timestamp: 0x89abcdef, body: hex(''), offset: 13 }],
    ],
    [
      'wrong sizes behind the tags, and stream ids',
      `464c56 01 05 00000009 ffffffff 08 000001 000000 00 000001 af 00000000 08 000000 000000 00 ffffff`,
      [
        { type: audioType, timestamp: 0, body: hex('af'), offset: 13 },
        { type: audioType, timestamp: 0, body: hex(''), offset: 29 },
      ],
    ],
    [
      'a longer header of another version',
      '464c56 02 01 0000000b 0000 00000000 09 000001 000000 00 000000 17',
      [{ type: videoType, timestamp: 0, body: hex('17'), offset: 15 }],
    ],
    [
      'a tag of another type',
      `${start} 0f 000002 000000 00 000000 0000 0000000d 08 000001 000001 00 000000 af 0000000c`,
      [{ type: audioType, timestamp: 1, body: hex('af'), offset: 30 }],
    ],
  ])('reads %s', (_name, bytes, tags) => {
    expect(tagsOf(hex(bytes))).toEqual(tags)
  })

  test('reads the same wherever the bytes are split', () => {
    const bytes = hex(
      `${start} 08 000002 000017 00 000000 af01 0000000d 0f 000001 000028 00 000000 17 0000000c
      12 000000 000028 00 000000 0000000b 09 000003 00002a 00 000000 270100 0000000e`,
    )
    const whole = tagsOf(bytes)
    expect(whole).toHaveLength(3)
    for (let at = 0; at <= bytes.length; at += 1) {
      expect(tagsOf(bytes.subarray(0, at), bytes.subarray(at))).toEqual(whole)
    }
    expect(tagsOf(...[...bytes].map((byte) => Buffer.of(byte)))).toEqual(whole)
  })

  test('reads what the writer wrote, in pieces of any size', () => {
    fc.assert(
      fc.property(file, fc.array(fc.nat(60)), ({ tags, bytes }, sizes) => {
        const pieces: Buffer[] = []
        let at = 0
        for (const size of [...sizes, bytes.length]) {
          pieces.push(bytes.subarray(at, at + size))
          at += size
        }
        expect(tagsOf(...pieces).map(({ offset: _offset, ...rest }) => rest)).toEqual(tags)
      }),
    )
  })

  test('gives the offset of each tag in the file', () => {
    fc.assert(
      fc.property(file, ({ bytes }) => {
        for (const { type, timestamp, body, offset } of tagsOf(bytes)) {
          const encoded = encodeTag(type, timestamp, body)
          expect(bytes.subarray(offset, offset + encoded.length)).toEqual(encoded)
        }
      }),
    )
  })

  test('copies what it is given', () => {
    const bytes = hex(`${start} 08 000002 000000 00 000000 af01 0000000d`)
    const [first] = tagsOf(bytes)
    bytes.fill(0)
    expect(first?.body).toEqual(hex('af01'))
  })

  test('tells what the header announces', () => {
    const reader = new FlvReader()
    reader.push(hex('464c56 01 04 000000'))
    expect(reader.content).toBeNull()
    reader.push(hex('09'))
    expect(reader.content).toEqual({ audio: true, video: false })
  })

  test('tells whether a file that ends here is cut off', () => {
    const bytes = hex(`${start} 08 000002 000000 00 000000 af01 0000000d`)
    const whole = new Set([9, 10, 11, 12, 13, 26, 27, 28, 29, 30])
    for (let length = 0; length <= bytes.length; length += 1) {
      const reader = new FlvReader()
      reader.push(bytes.subarray(0, length))
      expect([length, reader.unfinished]).toEqual([length, !whole.has(length)])
    }
  })

  test('accepts a body of the limit', () => {
    const reader = new FlvReader(2)
    expect(reader.push(hex(`${start} 08 000002 000000 00 000000 af01`))).toHaveLength(1)
  })

  test.each([
    ['what is not FLV', '464c57 01 05 00000009'],
    ['a header that is too short', '464c56 01 05 00000008'],
    ['a header that is too long', '464c56 01 05 00010001'],
    ['a tag above the limit', `${start} 08 000003 000000 00 000000`],
    ['a tag above the limit that it would pass over', `${start} 0f 000003 000000 00 000000`],
    ['an encrypted tag', `${start} 28 000001 000000 00 000000`],
  ])('refuses %s', (_name, bytes) => {
    const reader = new FlvReader(2)
    expect(() => reader.push(hex(bytes))).toThrow(formatError)
    expect(() => reader.push(hex('00'))).toThrow(formatError)
  })

  test('throws nothing but coded errors', () => {
    fc.assert(
      fc.property(
        file,
        fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))),
        ({ bytes }, changes) => {
          for (const [at, value] of changes) bytes[at % bytes.length] = value
          try {
            for (const { body } of tagsOf(bytes)) expect(body.length).toBeLessThan(bytes.length)
          } catch (error) {
            expect(error).toEqual(formatError)
          }
        },
      ),
    )
  })
})
