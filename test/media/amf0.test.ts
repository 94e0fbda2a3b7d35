import { describe, expect, test } from 'vitest'
import {
  AmfDate,
  AmfEcmaArray,
  AmfObject,
  type AmfValue,
  AmfVector,
  AmfXml,
  amfEcmaArray,
  amfObject,
  amfUnsupported,
} from '../../src/media/amf-value.ts'
import { Amf0Reader, decodeAmf0, decodeAmf3Command } from '../../src/media/amf0-reader.ts'
import { encodeAmf0 } from '../../src/media/amf0-writer.ts'
import { hex } from './bytes.ts'

const dynamicPoint = { className: 'Point', sealed: [], dynamic: true }
const sealedPoint = { className: 'Point', sealed: ['x', 'y'], dynamic: false }

/** Bytes that decode to the value, and that the value encodes to. */
const table: [name: string, bytes: string, value: AmfValue][] = [
  ['number', '00 3ff0000000000000', 1],
  ['negative zero', '00 8000000000000000', -0],
  ['not a number', '00 7ff8000000000000', Number.NaN],
  ['true', '01 01', true],
  ['false', '01 00', false],
  ['string', '02 0004 6c697665', 'live'],
  ['empty string', '02 0000', ''],
  ['string of more than ASCII', '02 0006 e280a6 c3a9 21', '…é!'],
  ['object', '03 0001 61 05 0001 62 02 0001 63 0000 09', amfObject({ a: null, b: 'c' })],
  ['empty object', '03 0000 09', amfObject({})],
  ['object with an empty name', '03 0000 05 0000 09', amfObject({ '': null })],
  ['null', '05', null],
  ['undefined', '06', undefined],
  ['associative array', '08 00000001 0001 61 01 01 0000 09', amfEcmaArray({ a: true })],
  ['strict array', '0a 00000002 05 0a 00000000', [null, []]],
  ['date', '0b 4270000000000000 0000', new AmfDate(2 ** 40)],
  ['date with a zone', '0b bff0000000000000 ffc4', new AmfDate(-1, -60)],
  ['unsupported', '0d', amfUnsupported],
  ['XML document', '0f 00000004 3c612f3e', new AmfXml('<a/>')],
  ['typed object', '10 0005 506f696e74 0001 78 05 0000 09', new AmfObject([['x', null]], dynamicPoint)],
  ['byte array, in AMF3', '11 0c 05 0102', new Uint8Array([1, 2])],
  ['vector, in AMF3', '11 0d 03 00 ffffffff', new AmfVector('int', [-1])],
  ['E4X, in AMF3', '11 0b 03 78', new AmfXml('x', 'e4x')],
  ['array with a dense part, in AMF3', '11 09 03 03 61 01 01 02', new AmfEcmaArray([['a', null]], [false])],
  [
    'object of a sealed class, in AMF3',
    '11 0a 23 0b 506f696e74 03 78 03 79 04 01 04 02',
    new AmfObject(
      [
        ['x', 1],
        ['y', 2],
      ],
      sealedPoint,
    ),
  ],
]

describe('AMF0', () => {
  test.each(table)('reads %s', (_name, bytes, value) => {
    expect(decodeAmf0(hex(bytes))).toStrictEqual([value])
  })

  test.each(table)('writes %s', (_name, bytes, value) => {
    expect(encodeAmf0(value).toString('hex')).toBe(hex(bytes).toString('hex'))
  })

  test.each([
    ['any byte but 0 is true', '01 7f', true],
    ['a short text as a long string', '0c 00000001 61', 'a'],
    [
      'an associative array whose count is wrong',
      '08 00000000 0001 61 05 0000 09',
      amfEcmaArray({ a: null }),
    ],
    ['bytes that are no UTF-8', '02 0002 61ff', 'a\ufffd'],
    ['an object of a class without a name', '10 0000 0000 09', amfObject({})],
    ['an AMF3 object as if it were its own', '11 0a 0b 01 03 61 06 03 62 01', amfObject({ a: 'b' })],
  ])('reads %s', (_name, bytes, value) => {
    expect(decodeAmf0(hex(bytes))).toEqual([value])
  })

  test('keeps the order of members, and the last of two with one name', () => {
    const [object] = decodeAmf0(hex('03 0001 62 01 00 0001 31 05 0001 62 01 01 0000 09'))
    expect(object).toBeInstanceOf(AmfObject)
    expect([...(object as AmfObject)]).toEqual([
      ['b', true],
      ['1', null],
    ])
  })

  test('takes __proto__ for a name like any other', () => {
    const bytes = hex('03 0009 5f5f70726f746f5f5f 03 0001 61 01 01 0000 09 0000 09')
    const [object] = decodeAmf0(bytes)
    expect([...(object as AmfObject).keys()]).toEqual(['__proto__'])
    expect((object as AmfObject).get('a')).toBeUndefined()
    expect(Object.getPrototypeOf(object)).toBe(AmfObject.prototype)
    expect(encodeAmf0(...decodeAmf0(bytes))).toEqual(bytes)
  })

  test('writes a string of more than 65535 bytes in the long form, and reads it', () => {
    const text = 'é'.repeat(32768)
    const bytes = encodeAmf0(text)
    expect(bytes.subarray(0, 5)).toEqual(hex('0c 00010000'))
    expect(decodeAmf0(bytes)).toEqual([text])
    expect(encodeAmf0('a'.repeat(65535)).subarray(0, 3)).toEqual(hex('02 ffff'))
  })

  test('refuses to write a name of more than 65535 bytes', () => {
    expect(() => encodeAmf0(amfObject({ ['a'.repeat(65536)]: 1 }))).toThrow(
      expect.objectContaining({ code: 'AMF_ENCODE' }),
    )
  })

  test('writes what it met before as a reference, and reads it as the same object', () => {
    const object = amfObject({ a: 1 })
    const array = [object]
    const bytes = encodeAmf0(object, array, object, array)
    expect(bytes).toEqual(
      hex('03 0001 61 00 3ff0000000000000 0000 09  0a 00000001 07 0000  07 0000  07 0001'),
    )
    const [first, second, third, fourth] = decodeAmf0(bytes)
    expect(third).toBe(first)
    expect(fourth).toBe(second)
    expect(second).toEqual([first])
  })

  test('shares the AMF3 tables among the AMF3 values of a body', () => {
    const text = new AmfXml('x', 'e4x')
    const bytes = encodeAmf0(text, 'between', text)
    expect(bytes.subarray(-3)).toEqual(hex('11 0b 00'))
    const [first, , third] = decodeAmf0(bytes)
    expect(third).toBe(first)
  })

  test('reads values one by one from a part of a buffer', () => {
    const reader = new Amf0Reader(hex('ff 05 0100 ff'), 1, 4)
    expect(reader.done).toBe(false)
    expect(reader.readValue()).toBeNull()
    expect(reader.position).toBe(2)
    expect(reader.readValue()).toBe(false)
    expect(reader.done).toBe(true)
    expect(() => reader.readValue()).toThrow(expect.objectContaining({ code: 'AMF_TRUNCATED' }))
  })

  test.each([
    ['a movie clip', '04', 'AMF_MARKER'],
    ['an object end without an object', '09', 'AMF_MARKER'],
    ['a record set', '0e', 'AMF_MARKER'],
    ['a marker that does not exist', '12', 'AMF_MARKER'],
    ['a switch to AMF3 and nothing', '11', 'AMF_TRUNCATED'],
    ['half a number', '00 3ff0', 'AMF_TRUNCATED'],
    ['a boolean without a value', '01', 'AMF_TRUNCATED'],
    ['half a string', '02 0002 61', 'AMF_TRUNCATED'],
    ['an object without an end', '03 0001 61 05', 'AMF_TRUNCATED'],
    ['an object that ends within its end', '03 0000', 'AMF_TRUNCATED'],
    ['a strict array that lacks an item', '0a 00000002 05', 'AMF_TRUNCATED'],
    ['a second value that is cut off', '05 02 0001', 'AMF_TRUNCATED'],
    ['a reference to nothing', '07 0000', 'AMF_REFERENCE'],
    ['a reference to what contains it', '0a 00000001 07 0000', 'AMF_REFERENCE'],
  ])('refuses %s', (_name, bytes, code) => {
    expect(() => decodeAmf0(hex(bytes))).toThrow(expect.objectContaining({ code }))
  })
})

describe('the body of an AMF3 message', () => {
  test('is a 0 byte and AMF0 values that may switch to AMF3', () => {
    expect(decodeAmf3Command(hex('00 02 0004 706c6179 00 0000000000000000 05 11 06 03 61'))).toEqual([
      'play',
      0,
      null,
      'a',
    ])
    expect(decodeAmf3Command(hex('00'))).toEqual([])
  })

  test.each([
    ['nothing', '', 'AMF_TRUNCATED'],
    ['another format byte', '03 06 03 61', 'AMF_MARKER'],
    ['a broken value', '00 04', 'AMF_MARKER'],
  ])('refuses %s', (_name, bytes, code) => {
    expect(() => decodeAmf3Command(hex(bytes))).toThrow(expect.objectContaining({ code }))
  })
})
