import { describe, expect, test } from 'vitest'
import { parseHevcSize } from '../../src/media/hevc-sps.ts'
import { bits } from './bits.ts'
import { hex } from './bytes.ts'

/** As x265 writes it for 322x182: pictures of 328x184, cropped. */
const cropped = hex('42010101600000030090000003000003003ca00a480b9c9596566924caf016808000000300800000030284')

describe('an HEVC sequence parameter set', () => {
  test('says the size of pictures after cropping', () => {
    expect(parseHevcSize(cropped)).toEqual({ width: 322, height: 182 })
  })

  test('with temporal sub-layers, and without cropping', () => {
    const parts = [
      // Header; parameter set 0, two sub-layers more, nesting.
      `0100001000000001 0000${'010'}1`,
      // Profile and level; a sub-layer with both, one without; padding for six.
      '0'.repeat(96),
      '11 00',
      '00'.repeat(6),
      '0'.repeat(96),
      // Set 0, 4:2:0, 1920 and 1080; no cropping.
      '1 010',
      `${'0'.repeat(10)}${(1921).toString(2)}`,
      `${'0'.repeat(10)}${(1081).toString(2)}`,
      '0',
    ]
    expect(parseHevcSize(bits(parts.join('')))).toEqual({ width: 1920, height: 1080 })
  })

  test.each([
    ['another NAL unit', hex('4001')],
    ['one that ends too early', cropped.subarray(0, 18)],
    ['nothing', hex('')],
  ])('%s is none', (_, unit) => {
    expect(() => parseHevcSize(unit)).toThrow(expect.objectContaining({ code: 'MEDIA_FORMAT' }))
  })
})
