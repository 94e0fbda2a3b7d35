import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aacProfileName, parseAacConfig } from '../../src/media/aac.ts'
import { bits } from './bits.ts'
import { hex } from './bytes.ts'

const formatError = expect.objectContaining({ code: 'MEDIA_FORMAT' })

/** LC at a rate, with a channel configuration and nothing else. */
function lowComplexity(rateIndex: string, channels: string): Buffer {
  return bits(`00010 ${rateIndex} ${channels} 000`)
}

describe('parseAacConfig', () => {
  test('reads the configuration of nearly all streams', () => {
    expect(parseAacConfig(hex('1210'))).toEqual({
      objectType: 2,
      sampleRateIndex: 4,
      sampleRate: 44100,
      channelConfiguration: 2,
      channels: 2,
      sbr: false,
      ps: false,
      outputSampleRate: 44100,
    })
  })

  // What ffmpeg writes; it says at the end that there is no SBR.
  test.each([
    ['mono', '120856e500', 44100, 1],
    ['stereo', '119056e500', 48000, 2],
    ['8 kHz', '159056e500', 8000, 2],
    ['7.35 kHz', '160856e500', 7350, 1],
    ['5.1', '11b056e500', 48000, 6],
    ['7.1', '11b856e500', 48000, 8],
    ['2.1, listed', '118004c4010020000d4c61766335392e33372e31303056e500', 48000, 3],
    ['6.1, listed', '118004c848002000c4400d4c61766335392e33372e31303056e500', 48000, 7],
    ['7.1 (wide), listed', '118004c848002000c6400d4c61766335392e33372e31303056e500', 48000, 8],
  ])('reads %s', (_name, bytes, sampleRate, channels) => {
    const config = parseAacConfig(hex(bytes))
    expect(config).toMatchObject({ objectType: 2, sampleRate, channels, sbr: false, ps: false })
    expect(aacProfileName(config)).toBe('LC')
  })

  test.each([
    [
      'HE-AAC',
      '2b920800',
      { sbr: true, ps: false, sampleRate: 22050, outputSampleRate: 44100, channels: 2 },
      'HE',
    ],
    [
      'HE-AAC v2',
      'eb8a0800',
      { sbr: true, ps: true, sampleRate: 22050, outputSampleRate: 44100, channels: 1 },
      'HEv2',
    ],
    [
      'HE-AAC said at the end',
      '139056e5a0',
      { sbr: true, ps: false, outputSampleRate: 44100, channels: 2 },
      'HE',
    ],
    ['HE-AAC v2 said at the end', '138856e5a54880', { sbr: true, ps: true, outputSampleRate: 44100 }, 'HEv2'],
    ['no more than the beginning of that', '139056e5', { sbr: false, outputSampleRate: 22050 }, 'LC'],
    ['something else at the end', '1390ffffff', { sbr: false, outputSampleRate: 22050 }, 'LC'],
  ])('reads %s', (_name, bytes, expected, profile) => {
    const config = parseAacConfig(hex(bytes))
    expect(config).toMatchObject({ objectType: 2, ...expected })
    expect(aacProfileName(config)).toBe(profile)
  })

  test.each(
    [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350].map(
      (rate, index) => [index, rate] as const,
    ),
  )('index %i is %i Hz', (index, sampleRate) => {
    const config = parseAacConfig(lowComplexity(index.toString(2).padStart(4, '0'), '0001'))
    expect(config).toMatchObject({ sampleRateIndex: index, sampleRate })
  })

  test('reads a rate that is written out', () => {
    const rate = (45678).toString(2).padStart(24, '0')
    expect(parseAacConfig(lowComplexity(`1111 ${rate}`, '0001'))).toMatchObject({
      sampleRateIndex: null,
      sampleRate: 45678,
    })
  })

  test.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 4],
    [5, 5],
    [6, 6],
    [7, 8],
    [11, 7],
    [12, 8],
    [13, 24],
    [14, 8],
  ])('configuration %i has %i channels', (channelConfiguration, channels) => {
    const config = parseAacConfig(lowComplexity('0100', channelConfiguration.toString(2).padStart(4, '0')))
    expect(config).toMatchObject({ channelConfiguration, channels })
  })

  test.each([
    ['Main', '00001 0100 0010 000', 1, 'Main'],
    ['SSR', '00011 0100 0010 000', 3, 'SSR'],
    ['a type above 31', '11111 000111 0100 0010 0', 39, 'ELD'],
    ['a type without a name', '01000 0100 0010', 8, '8'],
    ['a core coder delay', '00010 0100 0010 0 1 00000000000000 0', 2, 'LC'],
    ['an error resilient type with flags', '10001 0100 0010 0 0 1 000 0', 17, '17'],
    ['a scalable type', '00110 0100 0010 0 0 0 101', 6, '6'],
    ['error resilient BSAC with its sizes', '10110 0100 0010 0 0 1 00000 00000000000 0', 22, '22'],
  ])('reads %s', (_name, text, objectType, profile) => {
    const config = parseAacConfig(bits(text))
    expect(config).toMatchObject({ objectType, sampleRate: 44100, channels: 2, sbr: false })
    expect(aacProfileName(config)).toBe(profile)
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['one byte', hex('12')],
    ['the reserved rate 13', lowComplexity('1101', '0001')],
    ['the reserved rate 14', lowComplexity('1110', '0001')],
    ['a rate of 0', lowComplexity(`1111 ${'0'.repeat(24)}`, '0001')],
    ['a reserved channel configuration', lowComplexity('0100', '1000')],
    ['listed channels that are cut off', hex('1180 04c8')],
    ['a list of no channels', hex('1180 04c0 0000 0000 00')],
    ['channels of a type that cannot list them', bits('01000 0100 0000')],
  ])('refuses %s', (_name, bytes) => {
    expect(() => parseAacConfig(bytes)).toThrow(formatError)
  })

  test('throws nothing but coded errors', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 24 }), (bytes) => {
        try {
          const { channels, sampleRate } = parseAacConfig(bytes)
          expect(channels).toBeGreaterThan(0)
          expect(sampleRate).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toEqual(formatError)
        }
      }),
      { numRuns: 1000 },
    )
  })
})
