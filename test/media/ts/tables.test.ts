import { describe, expect, test } from 'vitest'
import { crc32Mpeg } from '../../../src/media/ts/crc32.ts'
import { type ProgramStreams, patPacket, pmtPacket } from '../../../src/media/ts/tables.ts'
import { hex } from '../bytes.ts'

test('the checksum is the one of MPEG-2', () => {
  expect(crc32Mpeg(Buffer.from('123456789'))).toBe(0x0376e6e7)
  expect(crc32Mpeg(Buffer.alloc(0))).toBe(0xffffffff)
})

/** A packet that is filled up with stuffing. */
function packet(bytes: string): Buffer {
  const filled = Buffer.alloc(188, 0xff)
  hex(bytes).copy(filled)
  return filled
}

test('the program association table, as other muxers write it', () => {
  expect(patPacket()).toEqual(packet('47400010 00 00b00d 0001 c1 0000 0001f000 2ab104b2'))
})

describe('the program map table', () => {
  test.each<[string, ProgramStreams, number, string]>([
    [
      'H.264 and AAC, as other muxers write it',
      { video: 0x1b, audio: 0x0f },
      0,
      '47500010 00 02b017 0001 c1 0000 e100f000 1be100f000 0fe101f000 2f44b99b',
    ],
    [
      'video alone',
      { video: 0x1b, audio: null },
      0,
      '47500010 00 02b012 0001 c1 0000 e100f000 1be100f000 15bd4d56',
    ],
    [
      'audio alone, which has the clock',
      { video: null, audio: 0x03 },
      31,
      '47500010 00 02b012 0001 ff 0000 e101f000 03e101f000',
    ],
  ])('%s', (_, streams, version, bytes) => {
    const wanted = hex(bytes)
    expect(pmtPacket(streams, version).subarray(0, wanted.length)).toEqual(wanted)
  })
})
