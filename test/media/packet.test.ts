import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  audioType,
  classify,
  codecName,
  dataType,
  decoderConfig,
  isHeader,
  isKeyFrame,
  keyFrameFlag,
  metadataFlag,
  type PacketType,
  sequenceHeaderFlag,
  sideHeaderFlag,
  videoType,
} from '../../src/media/packet.ts'
import { hex } from './bytes.ts'

const key = keyFrameFlag
const header = sequenceHeaderFlag
const side = sideHeaderFlag

/** The fourth column is the payload of a sequence header. */
const video: [name: string, body: string, flags: number, codec: string | null, config?: string][] = [
  ['nothing', '', 0, null],
  ['H.264 sequence header', '17 00 000000 0142c00d', header, 'H264', '0142c00d'],
  ['H.264 sequence header marked as inter frame', '27 00 000000 01', header, 'H264', '01'],
  ['H.264 sequence header without a payload', '17 00', header, 'H264', ''],
  ['H.264 key frame', '17 01 000000 00000001 65', key, 'H264'],
  ['H.264 inter frame', '27 01 000000 00000001 41', 0, 'H264'],
  ['H.264 end of sequence', '17 02 000000', 0, 'H264'],
  ['H.264 command frame', '57 00', 0, 'H264'],
  ['H.264 body of one byte', '17', 0, 'H264'],
  ['H.263 key frame', '12 00', key, 'H263'],
  ['H.263 inter frame', '22 00', 0, 'H263'],
  ['H.263 disposable frame', '32 00', 0, 'H263'],
  ['generated key frame, which only servers make', '42 00', 0, 'H263'],
  ['VP6 key frame', '14 00', key, 'VP6'],
  ['legacy HEVC sequence header', '1c 00 000000 01', header, 'HEVC', '01'],
  ['legacy HEVC key frame', '1c 01 000000', key, 'HEVC'],
  ['legacy AV1 sequence header', '1d 00 000000 81', header, 'AV1', '81'],
  ['unknown codec', '1f', key, 'video-15'],

  ['enhanced HEVC sequence header', '90 68766331 0101', header, 'HEVC', '0101'],
  ['enhanced H.264 sequence header', '90 61766331 0142', header, 'H264', '0142'],
  ['enhanced HEVC key frame', '91 68766331 000000 00', key, 'HEVC'],
  ['enhanced HEVC inter frame', 'a1 68766331 000000 00', 0, 'HEVC'],
  ['enhanced key frame without composition time', '93 68766331 00', key, 'HEVC'],
  ['enhanced end of sequence', '92 68766331', 0, 'HEVC'],
  ['enhanced metadata', '94 68766331 02', side, 'HEVC'],
  ['enhanced metadata marked as command', 'd4 68766331 02', side, 'HEVC'],
  ['enhanced metadata that is cut off', '94 687663', 0, null],
  ['metadata of another track', '96 04 68766331 01 02', side, 'HEVC'],
  ['AV1 sequence header for MPEG-2 TS', '95 61763031 80', header, 'AV1', '80'],
  ['enhanced command frame', 'd0 00', 0, null],
  ['enhanced VP9 key frame', '91 76703039 00', key, 'VP9'],
  ['enhanced codec that is not known', '91 78797a77', key, 'xyzw'],
  ['enhanced codec that cannot be shown', '91 00ff0a41', key, '???A'],
  ['enhanced header without a codec', '90 687663', 0, null],

  ['modifier before a sequence header', '97 02 000000 00 68766331 01', header, 'HEVC', '01'],
  ['modifier before a key frame', '97 02 0003e8 01 68766331 000000', key, 'HEVC'],
  ['two modifiers', '97 00 aa 07 00 bb 01 61766331', key, 'H264'],
  ['modifier of 256 bytes', `97 ff 00ff ${'00'.repeat(256)} 01 61766331`, key, 'H264'],
  ['modifier that is cut off', '97 02 0000', 0, null],
  ['modifier without an end', '97 00 00 07', 0, null],

  ['default track alone, sequence header', '96 00 61766331 00 0142', header, 'H264', '0142'],
  ['default track alone, key frame', '96 01 61766331 00 000000', key, 'H264'],
  ['other track alone, sequence header', '96 00 61766331 01 0142', side, 'H264'],
  ['other track alone, key frame', '96 01 61766331 01 000000', 0, 'H264'],
  [
    'two tracks of one codec, sequence headers',
    '96 10 61766331 00 000002 0142 01 000002 014d',
    header,
    'H264',
    '0142',
  ],
  ['two tracks of one codec, key frames', '96 13 61766331 00 000001 65 01 000001 65', key, 'H264'],
  ['two tracks of two codecs', '96 20 61766331 00 000001 01 68766331 01 000001 02', header, 'H264', '01'],
  ['two other tracks', '96 10 61766331 01 000001 01 02 000001 02', side, 'H264'],
  ['two other tracks, key frames', '96 13 61766331 01 000001 65 02 000001 65', 0, 'H264'],
  ['the default track behind another', '96 10 61766331 01 000001 01 00 000001 02', header, 'H264', '01'],
  ['the same with two codecs', '96 23 61766331 01 000001 01 68766331 00 000001 02', key, 'H264'],
  ['track of a size that is cut off', '96 10 61766331 00 0000', 0, null],
  ['track that is shorter than its size', '96 10 61766331 00 000009 0142', header, 'H264', '0142'],
]

const audio: [name: string, body: string, flags: number, codec: string | null, config?: string][] = [
  ['nothing', '', 0, null],
  ['AAC sequence header', 'af 00 1210', header, 'AAC', '1210'],
  ['AAC sequence header without a payload', 'af 00', header, 'AAC', ''],
  ['AAC frame', 'af 01 21', 0, 'AAC'],
  ['AAC body of one byte', 'af', 0, 'AAC'],
  ['MP3', '2f 00', 0, 'MP3'],
  ['Speex', 'b6 00', 0, 'Speex'],
  ['G.711 A-law', '72', 0, 'G711A'],
  ['device specific sound', 'f0', 0, 'audio-15'],

  ['enhanced Opus sequence header', '90 4f707573 4f', header, 'Opus', '4f'],
  ['enhanced Opus frame', '91 4f707573 fc', 0, 'Opus'],
  ['enhanced AAC sequence header', '90 6d703461 1210', header, 'AAC', '1210'],
  ['enhanced MP3 frame', '91 2e6d7033 ff', 0, 'MP3'],
  ['enhanced multichannel configuration', '94 4f707573 00', side, 'Opus'],
  ['default track alone', '95 00 4f707573 00 4f', header, 'Opus', '4f'],
  ['other track alone', '95 00 4f707573 01 4f', side, 'Opus'],
  ['other track alone, frame', '95 01 4f707573 01 fc', 0, 'Opus'],
  ['modifier', '97 00 00 00 664c6143 01', header, 'FLAC', '01'],
  ['enhanced header without a codec', '90 4f', 0, null],
]

describe.each([
  ['video', videoType, video],
  ['audio', audioType, audio],
] as const)('%s', (_kind, type, table) => {
  test.each(table)('%s', (_name, digits, flags, codec, config) => {
    const body = hex(digits)
    expect(classify(type, body)).toBe(flags)
    expect(codecName(type, body)).toBe(codec)
    expect(decoderConfig(type, body)).toEqual(config === undefined ? null : hex(config))
  })
})

test('data has no flags, codec or configuration of its own', () => {
  const body = hex('02 0000')
  expect(classify(dataType, body)).toBe(0)
  expect(codecName(dataType, body)).toBeNull()
  expect(decoderConfig(dataType, body)).toBeNull()
})

test('no body makes them throw', () => {
  const first = fc.constantFrom(0x90, 0x95, 0x96, 0x97, 0xaf, 0x17, 0x1d, 0xff)
  const body = fc
    .tuple(first, fc.uint8Array({ maxLength: 24 }))
    .map(([head, tail]) => Buffer.of(head, ...tail))
  fc.assert(
    fc.property(fc.constantFrom<PacketType>(audioType, videoType, dataType), body, (type, bytes) => {
      expect(classify(type, bytes)).toBeLessThanOrEqual(sideHeaderFlag)
      expect(codecName(type, bytes) ?? '').toMatch(/^[ -~]*$/)
      expect(decoderConfig(type, bytes)?.length ?? 0).toBeLessThan(bytes.length)
    }),
    { numRuns: 500 },
  )
})

test.each<[string, PacketType, number, boolean, boolean]>([
  ['a key frame', videoType, keyFrameFlag, false, true],
  ['a sequence header', videoType, sequenceHeaderFlag, true, false],
  ['metadata', dataType, metadataFlag, true, false],
  ['another track’s sequence header', videoType, sideHeaderFlag, true, false],
  ['a frame of audio', audioType, 0, false, false],
])('%s is told by its flags', (_name, type, flags, isHeaderOf, isKeyFrameOf) => {
  const packet = { type, flags, timestamp: 0, body: Buffer.alloc(0) }
  expect(isHeader(packet)).toBe(isHeaderOf)
  expect(isKeyFrame(packet)).toBe(isKeyFrameOf)
})
