import { describe, expect, test } from 'vitest'
import { fitsFrame, readAudioFormat, writeFrameHeader } from '../../../src/media/ts/audio-format.ts'
import { bits } from '../bits.ts'
import { hex } from '../bytes.ts'
import { aacFrame, aacHeader, mp3Frame, packetOf } from './packets.ts'

/** An AudioSpecificConfig: object type, index of the rate, channel configuration. */
function config(objectType: number, rateIndex: number, channels: number): string {
  const field = (value: number, length: number): string => value.toString(2).padStart(length, '0')
  return bits(`${field(objectType, 5)}${field(rateIndex, 4)}${field(channels, 4)}000`).toString('hex')
}

/** One with the rate written out. */
function configOfRate(hertz: number): string {
  return bits(`00010 1111 ${hertz.toString(2).padStart(24, '0')} 0010 000`).toString('hex')
}

function adtsHeader(aacConfig: string, frameBytes: number): Buffer {
  const format = readAudioFormat(aacHeader(aacConfig))!
  const header = Buffer.alloc(7)
  expect(writeFrameHeader(header, 0, format, frameBytes)).toBe(7)
  return header
}

describe('the ADTS header', () => {
  test.each([
    ['LC, 44.1 kHz, stereo', config(2, 4, 2), 100, 'fff150800d7ffc'],
    ['LC, 48 kHz, mono', config(2, 3, 1), 1, 'fff14c40011ffc'],
    ['Main, 7.35 kHz, 5.1', config(1, 12, 6), 0x1fff - 7, 'fff131 83ffff fc'],
    ['LTP, 96 kHz, 7.1', config(4, 0, 7), 1017, 'fff1c1c0801ffc'],
  ])('%s', (_, aacConfig, bytes, header) => {
    expect(adtsHeader(aacConfig, bytes)).toEqual(hex(header))
  })

  test.each(Array.from({ length: 13 }, (_, index) => index))('of rate %i', (index) => {
    const header = adtsHeader(config(2, index, 2), 10)
    expect((header.readUInt8(2) >> 2) & 0x0f).toBe(index)
  })

  test.each([
    [96_000, 0],
    [44_100, 4],
    [44_000, 4],
    [50_000, 3],
    [37_565, 5],
    [7350, 11],
    [1, 11],
  ])('of a rate of %i that is written out has index %i', (hertz, index) => {
    expect((adtsHeader(configOfRate(hertz), 10).readUInt8(2) >> 2) & 0x0f).toBe(index)
  })

  test('of HE-AAC has the rate and the object type of the core', () => {
    // SBR announced in front: 22.05 kHz core, 44.1 kHz out.
    const header = adtsHeader(bits('00101 0111 0010 0100 00010 000').toString('hex'), 10)
    expect(header.subarray(0, 3)).toEqual(hex('fff15c'))
  })

  test('of channels that are listed one by one has the configuration of as many', () => {
    // A program_config_element with one front channel pair.
    const listed = bits('00010 0100 0000 000 0000 01 0100 0001 0000 0000 00 000 0000 0 0 0 1 0000')
    const header = adtsHeader(Buffer.concat([listed, Buffer.alloc(4)]).toString('hex'), 10)
    expect(((header.readUInt8(2) & 1) << 2) | (header.readUInt8(3) >> 6)).toBe(2)
  })
})

describe('what has no ADTS form', () => {
  test.each([
    ['low delay', config(23, 4, 2)],
    ['6.1 channels', config(2, 4, 11)],
  ])('%s', (_, aacConfig) => {
    expect(() => readAudioFormat(aacHeader(aacConfig))).toThrow(
      expect.objectContaining({ code: 'MEDIA_FORMAT' }),
    )
  })

  test('a frame that is too long, and one that is empty', () => {
    const format = readAudioFormat(aacHeader())!
    expect([0, 1, 8184, 8185].map((bytes) => fitsFrame(format, bytes))).toEqual([false, true, true, false])
  })
})

describe('MP3', () => {
  test.each([
    ['MPEG-1', 'fffb9064', 3],
    ['MPEG-2', 'fff39064', 4],
    ['MPEG-2.5', 'ffe39064', 4],
  ])('%s', (_, header, streamType) => {
    const format = readAudioFormat(mp3Frame(0, header))!
    expect(format).toMatchObject({ codec: 'MP3', streamType })
    expect(writeFrameHeader(Buffer.alloc(0), 5, format, 100)).toBe(5)
    expect(fitsFrame(format, 20_000)).toBe(true)
  })
})

test.each([
  ['an AAC frame', aacFrame(0)],
  ['Speex', packetOf(8, 0, 'b2 aabb')],
  ['Opus', packetOf(8, 0, '91 4f707573 aabb')],
  ['nothing', packetOf(8, 0, '')],
  ['an MP3 frame that is cut off', packetOf(8, 0, '2f ff')],
])('%s says nothing', (_, packet) => {
  expect(readAudioFormat(packet)).toBeNull()
})
