import { describe, expect, test } from 'vitest'
import { parseHevcConfig } from '../../src/media/hevc.ts'
import { hex } from './bytes.ts'

/** Version and profile; what is in front of the length size and the number of arrays. */
const fixed = '01 01 60000000 900000000000 5d f000 fc fd f8 f8 0000'

/** Arrays of one video, two sequence and no picture parameter sets. */
const arrays = '20 0001 0002 4001  21 0002 0003 420101 0002 4202  22 0000'

test('the units come in their order, with the size of their lengths', () => {
  const config = parseHevcConfig(hex(`${fixed} 0f 03 ${arrays}`))
  expect(config.nalLengthBytes).toBe(4)
  expect(config.units).toEqual([hex('4001'), hex('420101'), hex('4202')])
  expect(parseHevcConfig(hex(`${fixed} 0d 00`))).toEqual({ nalLengthBytes: 2, units: [] })
})

describe('a configuration that ends too soon', () => {
  const whole = hex(`${fixed} 0f 03 ${arrays}`)
  test.each(Array.from({ length: whole.length }, (_, length) => length))('after %i bytes', (length) => {
    expect(() => parseHevcConfig(whole.subarray(0, length))).toThrow(
      expect.objectContaining({ code: 'MEDIA_FORMAT' }),
    )
  })
})
