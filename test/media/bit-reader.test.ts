import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BitReader } from '../../src/media/bit-reader.ts'
import { bits, expGolomb } from './bits.ts'
import { hex } from './bytes.ts'

const formatError = expect.objectContaining({ code: 'MEDIA_FORMAT' })

describe('BitReader', () => {
  test('reads bits across bytes, the highest first', () => {
    const reader = new BitReader(hex('a5 f0 ffffffff 80'))
    expect(reader.bits(0)).toBe(0)
    expect(reader.bits(3)).toBe(0b101)
    expect(reader.bits(7)).toBe(0b0010111)
    reader.skip(2)
    expect(reader.flag()).toBe(false)
    reader.alignToByte()
    expect(reader.left).toBe(40)
    reader.alignToByte()
    expect(reader.bits(32)).toBe(2 ** 32 - 1)
    expect(reader.flag()).toBe(true)
    expect(reader.left).toBe(7)
  })

  test.each<[string, (reader: BitReader) => unknown]>([
    ['bits', (reader) => reader.bits(9)],
    ['a flag', (reader) => [reader.bits(8), reader.flag()]],
    ['a skip', (reader) => reader.skip(9)],
    ['a number', (reader) => reader.unsigned(100)],
  ])('refuses %s past the end', (_name, read) => {
    expect(() => read(new BitReader(hex('00')))).toThrow(formatError)
  })

  test.each([
    ['1', 0, 0],
    ['010', 1, 1],
    ['011', 2, -1],
    ['00100', 3, 2],
    ['00101', 4, -2],
    ['00110', 5, 3],
    ['0001000', 7, 4],
  ])('reads the number %s', (code, unsigned, signed) => {
    expect(new BitReader(bits(code)).unsigned(100)).toBe(unsigned)
    expect(new BitReader(bits(code)).signed()).toBe(signed)
  })

  test('reads any number up to 2^32 - 2, and leaves what follows', () => {
    fc.assert(
      fc.property(fc.oneof(fc.nat(300), fc.integer({ min: 0, max: 2 ** 32 - 2 })), (value) => {
        const reader = new BitReader(bits(`${expGolomb(value)} 1`))
        expect(reader.unsigned(2 ** 32 - 2)).toBe(value)
        expect(reader.flag()).toBe(true)
      }),
    )
    expect(new BitReader(bits(expGolomb(2 ** 32 - 2))).unsigned(2 ** 32 - 2)).toBe(2 ** 32 - 2)
  })

  test('refuses a number above the bound, or of more than 32 bits', () => {
    expect(new BitReader(bits(expGolomb(12))).unsigned(12)).toBe(12)
    expect(() => new BitReader(bits(expGolomb(13))).unsigned(12)).toThrow(formatError)
    expect(() =>
      new BitReader(Buffer.concat([Buffer.alloc(4), Buffer.alloc(8, 255)])).unsigned(2 ** 53),
    ).toThrow(formatError)
  })
})
