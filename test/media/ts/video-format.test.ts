import { describe, expect, test } from 'vitest'
import { readCodedBody } from '../../../src/media/coded-body.ts'
import { isKeyFrame, type Packet, videoType } from '../../../src/media/packet.ts'
import { Pieces } from '../../../src/media/ts/pieces.ts'
import { addAccessUnit, isSameVideo, readVideoFormat } from '../../../src/media/ts/video-format.ts'
import { hex } from '../bytes.ts'
import { avcConfig, avcFrame, avcHeader, avcPps, avcSps, packetOf, slice, withStartCodes } from './packets.ts'

const sps = `00000001 ${avcSps.toString('hex')}`
const pps = `00000001 ${avcPps.toString('hex')}`

/** What a frame is in a transport stream; null if it is nothing. */
function accessUnit(header: Packet, frame: Packet): Buffer | null {
  const pieces = new Pieces()
  const { start, end } = readCodedBody(videoType, frame.body)!
  if (!addAccessUnit(pieces, readVideoFormat(header)!, frame.body, start, end, isKeyFrame(frame))) {
    expect(pieces.bytes).toBe(0)
    return null
  }
  const bytes = Buffer.alloc(pieces.bytes)
  pieces.copyTo(bytes, 0, bytes.length)
  return bytes
}

describe('an H.264 frame', () => {
  const idr = hex('65aa')
  const inter = hex('41bb')
  test.each<[string, boolean, Buffer[], string]>([
    ['a key frame gets its parameter sets', true, [idr], `00000001 09f0 ${sps} ${pps} 000001 65aa`],
    ['an inter frame gets none', false, [inter], '00000001 09f0 000001 41bb'],
    ['several slices', false, [inter, inter], '00000001 09f0 000001 41bb 000001 41bb'],
    ['a delimiter is not doubled', false, [hex('0910'), inter], '00000001 09f0 000001 41bb'],
    [
      'a key frame with parameter sets of its own keeps them',
      true,
      [hex('0910'), hex('674dff'), hex('68ff'), idr],
      '00000001 09f0 00000001 674dff 00000001 68ff 000001 65aa',
    ],
    [
      'SEI comes behind the parameter sets',
      true,
      [hex('0605'), idr],
      `00000001 09f0 ${sps} ${pps} 000001 0605 000001 65aa`,
    ],
  ])('%s', (_, isKey, units, expected) => {
    expect(accessUnit(avcHeader(), avcFrame(isKey, 0, { units }))).toEqual(hex(expected))
  })

  test('without units is none', () => {
    expect(accessUnit(avcHeader(), avcFrame(true, 0, { units: [] }))).toBeNull()
  })

  test('with shorter lengths', () => {
    const config = Buffer.from(avcConfig)
    config[4] = 0xfd
    expect(accessUnit(avcHeader(config), packetOf(videoType, 0, '27 01 000000 0002 41bb'))).toEqual(
      hex('00000001 09f0 000001 41bb'),
    )
  })

  test('behind start codes', () => {
    const frame = packetOf(videoType, 0, '17 01 000000', withStartCodes([hex('09f0'), idr]))
    expect(accessUnit(avcHeader(), frame)).toEqual(hex(`00000001 09f0 ${sps} ${pps} 000001 65aa`))
  })
})

describe('the format', () => {
  test('by a configuration', () => {
    expect(readVideoFormat(avcHeader())).toEqual({
      codec: 'H264',
      streamType: 0x1b,
      parameterSets: hex(sps + pps),
      nalLengthBytes: 4,
    })
  })

  test('by parameter sets behind start codes where a configuration should be', () => {
    expect(readVideoFormat(avcHeader(withStartCodes([avcSps, avcPps])))).toMatchObject({
      parameterSets: hex(sps + pps),
    })
  })

  test('by a key frame that has its parameter sets within it', () => {
    const frame = packetOf(videoType, 0, '17 01 000000', withStartCodes([avcSps, avcPps, slice(0x65, 20)]))
    expect(readVideoFormat(frame)).toMatchObject({ codec: 'H264', parameterSets: Buffer.alloc(0) })
  })

  test.each([
    ['enhanced', '90 68766331'],
    ['by its number', '1c 00 000000'],
  ])('of HEVC, %s', (_, tag) => {
    const fixed = '01 01 60000000 900000000000 5d f000 fc fd f8 f8 0000 0f'
    // One of each parameter set, an SEI that holds for the whole stream, and one that has no place there.
    const config = packetOf(
      videoType,
      0,
      tag,
      `${fixed} 05 20 0001 0002 4001 21 0001 0002 4201 22 0001 0002 4401 27 0001 0002 4e01 28 0001 0002 5001`,
    )
    const parameterSets = '00000001 4001 00000001 4201 00000001 4401 00000001 4e01'
    expect(readVideoFormat(config)).toMatchObject({
      codec: 'HEVC',
      streamType: 0x24,
      parameterSets: hex(parameterSets),
    })
    const key = packetOf(videoType, 0, '1c 01 000000 00000004 2601aabb')
    expect(accessUnit(config, key)).toEqual(hex(`00000001 460150 ${parameterSets} 000001 2601aabb`))
    const withDelimiter = packetOf(videoType, 0, '2c 01 000000 00000003 460110 00000003 0201cc')
    expect(accessUnit(config, withDelimiter)).toEqual(hex('00000001 460150 000001 0201cc'))
  })

  test.each([
    ['a frame behind lengths', avcFrame(true, 0)],
    [
      'a frame behind start codes without parameter sets',
      packetOf(videoType, 0, '17 01 000000', withStartCodes([slice(0x65, 20)])),
    ],
    ['AV1', packetOf(videoType, 0, '90 61763031 81')],
    ['VP6', packetOf(videoType, 0, '14 aa')],
    ['the end of a sequence', packetOf(videoType, 0, '17 02 000000')],
  ])('is not told by %s', (_, packet) => {
    expect(readVideoFormat(packet)).toBeNull()
  })

  test('of a broken configuration is an error', () => {
    expect(() => readVideoFormat(avcHeader(hex('014d40')))).toThrow(
      expect.objectContaining({ code: 'MEDIA_FORMAT' }),
    )
  })

  test('is the same when its bytes are', () => {
    const format = readVideoFormat(avcHeader())!
    const other = Buffer.from(avcConfig)
    other[other.length - 1] = 0x81
    expect(isSameVideo(format, readVideoFormat(avcHeader())!)).toBe(true)
    expect(isSameVideo(format, readVideoFormat(avcHeader(other))!)).toBe(false)
  })
})
