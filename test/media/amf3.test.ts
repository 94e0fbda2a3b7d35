import { describe, expect, test } from 'vitest'
import {
  AmfDate,
  AmfDictionary,
  AmfEcmaArray,
  AmfObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  amfObject,
  amfUnsupported,
} from '../../src/media/amf-value.ts'
import { decodeAmf3 } from '../../src/media/amf3-reader.ts'
import { encodeAmf3 } from '../../src/media/amf3-writer.ts'
import { hex } from './bytes.ts'

const point = { className: 'P', sealed: ['x'], dynamic: true }

/** Bytes that decode to the value, and that the value encodes to. */
const table: [name: string, bytes: string, value: AmfValue][] = [
  ['undefined', '00', undefined],
  ['null', '01', null],
  ['false', '02', false],
  ['true', '03', true],
  ['the integer 0', '04 00', 0],
  ['the largest integer of one byte', '04 7f', 0x7f],
  ['the smallest integer of two bytes', '04 81 00', 0x80],
  ['the largest integer of two bytes', '04 ff 7f', 0x3fff],
  ['the smallest integer of three bytes', '04 81 80 00', 0x4000],
  ['the largest integer of three bytes', '04 ff ff 7f', 0x1fffff],
  ['the smallest integer of four bytes', '04 80 c0 80 00', 0x200000],
  ['the largest integer', '04 bf ff ff ff', 2 ** 28 - 1],
  ['the smallest integer', '04 c0 80 80 00', -(2 ** 28)],
  ['the integer -1', '04 ff ff ff ff', -1],
  ['a number above the integers', '05 41b0000000000000', 2 ** 28],
  ['a number below the integers', '05 c1b0000001000000', -(2 ** 28) - 1],
  ['a fraction', '05 3fe0000000000000', 0.5],
  ['negative zero', '05 8000000000000000', -0],
  ['string', '06 09 6c697665', 'live'],
  ['empty string', '06 01', ''],
  ['XML document', '07 09 3c612f3e', new AmfXml('<a/>')],
  ['date', '08 01 bff0000000000000', new AmfDate(-1)],
  ['dense array', '09 05 01 01 02', [null, false]],
  ['empty array', '09 01 01', []],
  ['associative array', '09 01 03 61 03 01', new AmfEcmaArray([['a', true]])],
  ['array with both parts', '09 03 03 61 03 01 01', new AmfEcmaArray([['a', true]], [null])],
  ['anonymous object', '0a 0b 01 03 61 01 03 62 06 00 01', amfObject({ a: null, b: 'a' })],
  [
    'object of a sealed class',
    '0a 13 03 50 03 78 01',
    new AmfObject([['x', null]], { ...point, dynamic: false }),
  ],
  [
    'object of a class with sealed and dynamic members',
    '0a 1b 03 50 03 78 01 03 79 02 01',
    new AmfObject(
      [
        ['x', null],
        ['y', false],
      ],
      point,
    ),
  ],
  ['XML', '0b 09 3c612f3e', new AmfXml('<a/>', 'e4x')],
  ['byte array', '0c 07 00ff80', new Uint8Array([0, 255, 128])],
  ['empty byte array', '0c 01', new Uint8Array(0)],
  ['vector of int', '0d 05 01 ffffffff 7fffffff', new AmfVector('int', [-1, 2 ** 31 - 1], true)],
  ['vector of uint', '0e 03 00 ffffffff', new AmfVector('uint', [2 ** 32 - 1])],
  ['vector of double', '0f 03 00 3fe0000000000000', new AmfVector('double', [0.5])],
  ['vector of objects', '10 05 00 03 50 01 06 00', new AmfVector('object', [null, 'P'], false, 'P')],
  [
    'dictionary',
    '11 05 01 04 01 06 03 61 09 01 01 01',
    new AmfDictionary(
      [
        [1, 'a'],
        [[], null],
      ],
      true,
    ),
  ],
]

describe('AMF3', () => {
  test.each(table)('reads %s', (_name, bytes, value) => {
    expect(decodeAmf3(hex(bytes))).toStrictEqual([value])
  })

  test.each(table)('writes %s', (_name, bytes, value) => {
    expect(encodeAmf3(value).toString('hex')).toBe(hex(bytes).toString('hex'))
  })

  test('reads an integer that was sent as a double', () => {
    expect(decodeAmf3(hex('05 4014000000000000'))).toEqual([5])
  })

  test('sends equal strings, names included, once', () => {
    const bytes = encodeAmf3('ab', 'ab', amfObject({ ab: 'ab' }))
    expect(bytes).toEqual(hex('06 05 6162  06 00  0a 0b 01 00 06 00 01'))
    expect(decodeAmf3(bytes)).toEqual(['ab', 'ab', amfObject({ ab: 'ab' })])
  })

  test('sends an object once, of every type that has an identity', () => {
    const values: AmfValue[] = [
      new AmfDate(0),
      new AmfXml(''),
      new AmfXml('', 'e4x'),
      [],
      amfObject({}),
      new Uint8Array(1),
      new AmfVector('uint', [1]),
      new AmfVector('object', []),
      new AmfDictionary(),
    ]
    const bytes = encodeAmf3(...values, ...values)
    const decoded = decodeAmf3(bytes)
    expect(decoded.slice(0, values.length)).toStrictEqual(values)
    values.forEach((_, index) => {
      expect(decoded[index + values.length]).toBe(decoded[index])
    })
    // A marker and a number of one byte for each.
    expect(bytes.length).toBe(encodeAmf3(...values).length + 2 * values.length)
  })

  test('sends the traits of a class once', () => {
    const bytes = encodeAmf3(new AmfObject([['x', 1]], point), new AmfObject([['x', 2]], point))
    expect(bytes).toEqual(hex('0a 1b 03 50 03 78 04 01 01  0a 01 04 02 01'))
    const [first, second] = decodeAmf3(bytes)
    expect(second).toEqual(new AmfObject([['x', 2]], point))
    expect((second as AmfObject).traits).toBe((first as AmfObject).traits)
  })

  test('sends a sealed member that is missing as undefined', () => {
    expect(encodeAmf3(new AmfObject([], point))).toEqual(hex('0a 1b 03 50 03 78 00 01'))
  })

  test('sends undefined for what AMF0 calls unsupported, and leaves out the zone of a date', () => {
    expect(encodeAmf3(amfUnsupported, new AmfDate(0, 60))).toEqual(hex('00 08 01 0000000000000000'))
  })

  test.each<[string, AmfValue]>([
    ['a member without a name', amfObject({ '': 1 })],
    ['a member that a sealed class lacks', new AmfObject([['y', 1]], { ...point, dynamic: false })],
    ['a string in a vector of double', new AmfVector('double', ['1'])],
    ['a fraction in a vector of int', new AmfVector('int', [0.5])],
    ['2^31 in a vector of int', new AmfVector('int', [2 ** 31])],
    ['-1 in a vector of uint', new AmfVector('uint', [-1])],
  ])('refuses to write %s', (_name, value) => {
    expect(() => encodeAmf3(value)).toThrow(expect.objectContaining({ code: 'AMF_ENCODE' }))
  })

  test.each([
    ['a marker that does not exist', '12', 'AMF_MARKER'],
    ['an externalizable object', '0a 07 03 50', 'AMF_MARKER'],
    ['an integer that is cut off', '04 ff ff ff', 'AMF_TRUNCATED'],
    ['a double that is cut off', '05 00', 'AMF_TRUNCATED'],
    ['a string that is cut off', '06 05 61', 'AMF_TRUNCATED'],
    ['a byte array that is cut off', '0c 05 61', 'AMF_TRUNCATED'],
    ['an array that lacks an item', '09 05 01 01', 'AMF_TRUNCATED'],
    ['an object without an end', '0a 0b 01 03 61 01', 'AMF_TRUNCATED'],
    ['a string that was not sent', '06 00', 'AMF_REFERENCE'],
    ['an object that was not sent', '0a 00', 'AMF_REFERENCE'],
    ['traits that were not sent', '0a 01', 'AMF_REFERENCE'],
    ['an array within itself', '09 03 01 09 00', 'AMF_REFERENCE'],
  ])('refuses %s', (_name, bytes, code) => {
    expect(() => decodeAmf3(hex(bytes))).toThrow(expect.objectContaining({ code }))
  })
})
