import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseAvcConfig } from '../../src/media/avc.ts'
import { parseSps, withoutEmulationPrevention } from '../../src/media/avc-sps.ts'
import { avcSamples } from './avc-samples.ts'
import { bits, expGolomb } from './bits.ts'
import { hex } from './bytes.ts'

const formatError = expect.objectContaining({ code: 'MEDIA_FORMAT' })

function spsOf(config: string): Buffer {
  const [sps] = parseAvcConfig(hex(config)).sps
  if (!sps) throw new Error('a sample without a parameter set')
  return sps
}

/** An SPS of a few fields; those that a test is about can be replaced by other bits. */
function spsWith(fields: {
  profile?: number
  start?: string
  pictureOrder?: string
  size?: string
  end?: string
}) {
  const { profile = 66, start = '', pictureOrder = '1 1', size = '', end = '' } = fields
  // Profile, constraints, level 3.1; id 0; start (chroma); log2_max_frame_num - 4.
  const head = `${profile.toString(2).padStart(8, '0')} 00000000 00011111 1 ${start} 1`
  // One reference frame, no gaps; 40 x 30 blocks, frames only, direct inference; no cropping, no VUI.
  const blocks = size || `${expGolomb(39)} ${expGolomb(29)} 1 1`
  return Buffer.concat([hex('67'), bits(`${head} ${pictureOrder} 010 0 ${blocks} ${end || '0 0'} 1`)])
}

describe('parseSps', () => {
  test.each(avcSamples)('reads what x264 writes: $name', ({ config, width, height, frameRate }) => {
    const sps = parseSps(spsOf(config))
    expect(sps).toMatchObject({ width, height })
    expect(sps.frameRate).toBeCloseTo(frameRate, 6)
  })

  test('reads profile and level, and no frame rate if there is none', () => {
    expect(parseSps(spsWith({}))).toEqual({
      profile: 66,
      level: 31,
      width: 640,
      height: 480,
      frameRate: null,
    })
  })

  test.each([
    ['picture order of type 1', { pictureOrder: `010 0 1 010 ${expGolomb(2)} 011 00101` }],
    ['picture order of type 2', { pictureOrder: '011' }],
    ['VUI without timing', { end: '0 1 0 0 0 0 0' }],
    ['a frame rate of 0', { end: `0 1 0 0 0 0 1 ${'0'.repeat(32)} ${'0'.repeat(31)}1 0` }],
    // Chroma format 1, depths of 8 bits, no bypass; a matrix of 8 lists, two of which are there.
    [
      'scaling lists',
      { profile: 100, start: `010 1 1 0 1 1 ${'1'.repeat(16)} 0 0 0 0 0 1 ${'1'.repeat(64)} 0` },
    ],
    // The difference -8 takes the scale from 8 to 0, which ends the list.
    [
      'a scaling list that ends early',
      { profile: 100, start: `010 1 1 0 1 1 ${expGolomb(16)} 0 0 0 0 0 0 0` },
    ],
    ['a scaling matrix of 4:4:4', { profile: 244, start: `00100 0 1 1 0 1 ${'0'.repeat(12)}` }],
  ])('passes over %s', (_name, fields) => {
    expect(parseSps(spsWith(fields))).toMatchObject({ width: 640, height: 480, frameRate: null })
  })

  test.each([
    ['4:2:0', 66, '', 636, 474],
    ['4:2:2', 122, '011 1 1 0 0', 636, 477],
    ['4:4:4', 244, '00100 0 1 1 0 0', 638, 477],
    ['4:4:4 of separate planes', 244, '00100 1 1 1 0 0', 638, 477],
    ['monochrome', 100, '1 1 1 0 0', 638, 477],
  ])('crops by the chroma samples of %s', (_name, profile, start, width, height) => {
    // Left 2, right 0, top 1, bottom 2.
    const sps = spsWith({ profile, start, end: `1 011 1 010 011 0` })
    expect(parseSps(sps)).toMatchObject({ width, height })
  })

  test('counts the lines of both fields', () => {
    const size = `${expGolomb(44)} ${expGolomb(17)} 0 0 1`
    expect(parseSps(spsWith({ size }))).toMatchObject({ width: 720, height: 576 })
    expect(parseSps(spsWith({ size, end: '1 1 1 1 010 0' }))).toMatchObject({ width: 720, height: 572 })
  })

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['another NAL unit', hex('68cb83cb20')],
    ['a header without a payload', hex('67')],
    ['zeros', Buffer.concat([hex('67 64001f'), Buffer.alloc(20)])],
    ['ones', Buffer.concat([hex('67'), Buffer.alloc(4, 255)])],
    ['an id above 31', Buffer.concat([hex('67 42001f'), bits(`${expGolomb(32)} 1111`)])],
    ['a chroma format above 3', spsWith({ profile: 100, start: '00101' })],
    ['picture order of type 3', spsWith({ pictureOrder: '00100' })],
    ['a cycle of more than 255 frames', spsWith({ pictureOrder: `010 0 1 1 ${expGolomb(256)}` })],
    ['a width above any level', spsWith({ size: `${expGolomb(1055)} 1 1 1` })],
    ['a height above any level', spsWith({ size: `1 ${expGolomb(1055)} 1 1` })],
    ['a picture that is cropped to nothing', spsWith({ end: `1 ${expGolomb(320)} 1 1 1 0` })],
    ['a picture that is cropped to less', spsWith({ end: `1 1 1 ${expGolomb(2 ** 32 - 2)} 1 0` })],
  ])('refuses %s', (_name, unit) => {
    expect(() => parseSps(unit)).toThrow(formatError)
  })

  test('throws nothing but coded errors', () => {
    const bytes = fc.constantFrom(...avcSamples).map(({ config }) => spsOf(config))
    const changes = fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 5 })
    fc.assert(
      fc.property(bytes, changes, fc.nat(40), (unit, list, length) => {
        const copy = Buffer.from(unit.subarray(0, length))
        for (const [at, value] of list) if (copy.length > 0) copy[at % copy.length] = value
        try {
          const { width, height } = parseSps(copy)
          expect(width).toBeGreaterThan(0)
          expect(height).toBeGreaterThan(0)
        } catch (error) {
          expect(error).toEqual(formatError)
        }
      }),
      { numRuns: 1000 },
    )
  })
})

test.each([
  ['000003', '0000'],
  ['00000301', '000001'],
  ['0000030000030003', '000000000003'],
  ['000000030000', '0000000000'],
  ['0003', '0003'],
  ['00000400', '00000400'],
  ['', ''],
])('withoutEmulationPrevention of %s', (payload, expected) => {
  expect(Buffer.from(withoutEmulationPrevention(hex(payload)))).toEqual(hex(expected))
})
