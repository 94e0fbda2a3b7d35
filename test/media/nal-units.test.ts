import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NalUnits } from '../../src/media/nal-units.ts'
import { hex } from './bytes.ts'
import { withLengths, withStartCodes } from './ts/packets.ts'

function unitsOf(
  bytes: Buffer,
  lengthBytes = 4,
  start = 0,
  end = bytes.length,
): { units: string[]; isAnnexB: boolean } {
  const found = new NalUnits()
  found.read(bytes, start, end, lengthBytes)
  const units = Array.from({ length: found.count }, (_, index) =>
    bytes.toString('hex', found.starts[index], found.ends[index]),
  )
  return { units, isAnnexB: found.isAnnexB }
}

describe.each<[string, string, number, string[], boolean]>([
  ['lengths of four bytes', '00000002 65aa 00000001 06', 4, ['65aa', '06'], false],
  ['lengths of two bytes', '0002 65aa 0001 06', 2, ['65aa', '06'], false],
  ['lengths of one byte', '02 65aa 01 06', 1, ['65aa', '06'], false],
  ['empty units', '00000000 00000002 65aa 00000000', 4, ['65aa'], false],
  ['nothing', '', 4, [], false],
  ['a last unit that is cut off', '00000002 65aa 00000004 0600', 4, ['65aa'], false],
  ['bytes behind the last unit', '00000002 65aa 0000', 4, ['65aa'], false],
  ['start codes of four bytes', '00000001 09f0 00000001 65aa', 4, ['09f0', '65aa'], true],
  ['start codes of three bytes', '000001 09f0 000001 65aa', 4, ['09f0', '65aa'], true],
  ['start codes, where lengths have two bytes', '00000001 09f0 00000001 65aa', 2, ['09f0', '65aa'], true],
  ['padding behind units', '00000001 09f0 0000 000001 65aa 00', 4, ['09f0', '65aa'], true],
  ['start codes without units', '00000001 000001 65aa 000001', 4, ['65aa'], true],
])('%s', (_, bytes, lengthBytes, units, isAnnexB) => {
  test(bytes, () => {
    expect(unitsOf(hex(bytes), lengthBytes)).toEqual({ units, isAnnexB })
  })
})

test('a unit whose length looks like a start code', () => {
  const unit = Buffer.alloc(0x165, 0x65)
  expect(unitsOf(withLengths([unit]))).toEqual({ units: [unit.toString('hex')], isAnnexB: false })
})

test('only the bytes that were said are read', () => {
  expect(unitsOf(hex('eeee 000001 65aa 000001 41bb'), 4, 2, 7)).toEqual({ units: ['65aa'], isAnnexB: true })
})

/**
 * A unit as an encoder makes it: it has more than its header, emulation prevention is done, and it does not end with
 * a zero.
 */
const unit = fc
  .uint8Array({ minLength: 2, maxLength: 40 })
  .map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 ? 1 : byte))))

test('units come out as they went in, whichever way they are told apart', () => {
  fc.assert(
    fc.property(
      fc.array(unit, { minLength: 1, maxLength: 8 }),
      fc.constantFrom(1, 2, 3, 4),
      (units, lengthBytes) => {
        const expected = units.map((bytes) => bytes.toString('hex'))
        expect(unitsOf(withLengths(units, lengthBytes), lengthBytes)).toEqual({
          units: expected,
          isAnnexB: false,
        })
        expect(unitsOf(withStartCodes(units))).toEqual({ units: expected, isAnnexB: true })
      },
    ),
  )
})

test('any bytes are read without an error, and no unit is outside of them', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.constantFrom(1, 2, 3, 4), (bytes, lengthBytes) => {
      const found = new NalUnits()
      found.read(Buffer.from(bytes), 0, bytes.length, lengthBytes)
      for (let index = 0; index < found.count; index += 1) {
        expect(found.starts[index]).toBeLessThan(found.ends[index]!)
        expect(found.ends[index]).toBeLessThanOrEqual(bytes.length)
      }
    }),
  )
})
