import { describe, expect, test } from 'vitest'
import { encodeTag, flvHeader, tagSize, writeTag } from '../../../src/media/flv/writer.ts'
import { audioType, dataType, type PacketType, videoType } from '../../../src/media/packet.ts'
import { hex } from '../bytes.ts'

describe('flvHeader', () => {
  test.each([
    [true, true, '05'],
    [true, false, '04'],
    [false, true, '01'],
    [false, false, '00'],
  ])('says audio %s, video %s', (audio, video, flags) => {
    expect(flvHeader({ audio, video })).toEqual(hex(`464c56 01 ${flags} 00000009 00000000`))
  })
})

describe('a tag', () => {
  test.each<[PacketType, number, string, string]>([
    [audioType, 0, 'af01', '08 000002 000000 00 000000 af01 0000000d'],
    [videoType, 40, '17', '09 000001 000028 00 000000 17 0000000c'],
    [dataType, 0, '', '12 000000 000000 00 000000 0000000b'],
    [audioType, 0xffffff, '', '08 000000 ffffff 00 000000 0000000b'],
    [audioType, 0x1000000, '', '08 000000 000000 01 000000 0000000b'],
    [audioType, 0x89abcdef, '', '08 000000 abcdef 89 000000 0000000b'],
    [audioType, 2 ** 32 + 1, '', '08 000000 000001 00 000000 0000000b'],
  ])('of type %i at %i', (type, timestamp, body, bytes) => {
    expect(encodeTag(type, timestamp, hex(body))).toEqual(hex(bytes))
    expect(tagSize(hex(body).length)).toBe(hex(bytes).length)
  })

  test('is written into a buffer that others are in, from a part of another', () => {
    const target = Buffer.alloc(tagSize(2) + 2, 0xee)
    expect(writeTag(target, 1, videoType, 1, hex('00 1122 33'), 1, 3)).toBe(target.length - 1)
    expect(target).toEqual(hex('ee 09 000002 000001 00 000000 1122 0000000d ee'))
  })

  test('is at most 16 MiB long', () => {
    const body = Buffer.alloc(0x1000000)
    expect(encodeTag(videoType, 0, body.subarray(1)).subarray(0, 4)).toEqual(hex('09 ffffff'))
    expect(() => encodeTag(videoType, 0, body)).toThrow(expect.objectContaining({ code: 'FLV_FORMAT' }))
  })
})
