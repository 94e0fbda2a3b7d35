import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { avcLevelName, avcProfileName, parseAvcConfig } from '../../src/media/avc.ts'
import { avcSamples } from './avc-samples.ts'
import { hex } from './bytes.ts'

const formatError = expect.objectContaining({ code: 'MEDIA_FORMAT' })

describe('parseAvcConfig', () => {
  test('reads what x264 writes', () => {
    const config = '0142c00d ff e1 0018 6742c00dd90141fb011000000300100000030320f142a480 01 0005 68cb83cb20'
    expect(parseAvcConfig(hex(config))).toEqual({
      profile: 66,
      constraints: 0xc0,
      level: 13,
      nalLengthBytes: 4,
      sps: [hex('6742c00dd90141fb011000000300100000030320f142a480')],
      pps: [hex('68cb83cb20')],
    })
  })

  test('reads any number of parameter sets, and lengths of other sizes', () => {
    expect(parseAvcConfig(hex('0164001f fd e2 0001 67 0002 6701 03 0001 68 0000 0001 69'))).toMatchObject({
      nalLengthBytes: 2,
      sps: [hex('67'), hex('6701')],
      pps: [hex('68'), hex(''), hex('69')],
    })
    expect(parseAvcConfig(hex('0164001f fc e0 00'))).toMatchObject({ nalLengthBytes: 1, sps: [], pps: [] })
  })

  test('leaves what follows the parameter sets', () => {
    expect(parseAvcConfig(hex('0164001f ff e0 01 0001 68 fdf8f800')).pps).toEqual([hex('68')])
  })

  test.each([
    ['nothing', ''],
    ['another version', '0064001f ff e0 00'],
    ['Annex B', '00000001 67 64001f'],
    ['a parameter set that is cut off', '0164001f ff e1 0002 67'],
    ['half a length', '0164001f ff e1 00'],
    ['no number of picture parameter sets', '0164001f ff e1 0001 67'],
    ['a picture parameter set that is cut off', '0164001f ff e0 01 0001'],
  ])('refuses %s', (_name, bytes) => {
    expect(() => parseAvcConfig(hex(bytes))).toThrow(formatError)
  })

  test('throws nothing but coded errors', () => {
    const head = fc.constant([1, 100, 0, 31, 255])
    fc.assert(
      fc.property(fc.tuple(head, fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 40 })), (parts) => {
        try {
          const { sps, pps } = parseAvcConfig(Buffer.from(parts.flat()))
          expect(sps.length).toBeLessThan(32)
          expect(pps.length).toBeLessThan(256)
        } catch (error) {
          expect(error).toEqual(formatError)
        }
      }),
    )
  })
})

describe('the names of H.264', () => {
  test.each(avcSamples)('of $name', ({ config, profile, level }) => {
    const parsed = parseAvcConfig(hex(config))
    expect(avcProfileName(parsed.profile, parsed.constraints)).toBe(profile)
    expect(avcLevelName(parsed.profile, parsed.constraints, parsed.level)).toBe(level)
  })

  test.each([
    [66, 0x00, 'Baseline'],
    [66, 0x40, 'Constrained Baseline'],
    [77, 0x40, 'Main'],
    [88, 0x00, 'Extended'],
    [1, 0x00, '1'],
  ])('profile %i with constraints %i', (profile, constraints, name) => {
    expect(avcProfileName(profile, constraints)).toBe(name)
  })

  test.each([
    [66, 0x00, 11, '1.1'],
    [66, 0x10, 11, '1b'],
    [100, 0x10, 11, '1.1'],
    [100, 0x00, 9, '1b'],
    [100, 0x00, 40, '4'],
    [100, 0x00, 51, '5.1'],
  ])('profile %i with constraints %i, level %i', (profile, constraints, level, name) => {
    expect(avcLevelName(profile, constraints, level)).toBe(name)
  })
})
