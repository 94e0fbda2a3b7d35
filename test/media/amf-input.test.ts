import { afterEach, describe, expect, test, vi } from 'vitest'
import { AmfInput } from '../../src/media/amf-input.ts'
import {
  AmfDictionary,
  AmfEcmaArray,
  AmfObject,
  type AmfValue,
  AmfVector,
} from '../../src/media/amf-value.ts'
import { decodeAmf0 } from '../../src/media/amf0-reader.ts'
import { decodeAmf3 } from '../../src/media/amf3-reader.ts'
import { hex, repeated } from './bytes.ts'

const limitError = expect.objectContaining({ code: 'AMF_LIMIT' })

/** AMF0: strict arrays inside one another, the innermost empty. */
function nestedArrays(depth: number): Buffer {
  return Buffer.concat([repeated(hex('0a 00000001'), depth - 1), hex('0a 00000000')])
}

describe('the limits of AMF', () => {
  test.each([
    ['AMF0 strict array', decodeAmf0, '0a ffffffff'],
    ['AMF0 long string', decodeAmf0, '0c ffffffff'],
    ['AMF0 XML document', decodeAmf0, '0f 00010001'],
    ['AMF3 string', decodeAmf3, '06 ff ff ff ff'],
    ['AMF3 byte array', decodeAmf3, '0c ff ff ff ff'],
    ['AMF3 array', decodeAmf3, '09 ff ff ff ff 01'],
    ['AMF3 vector', decodeAmf3, '0d ff ff ff ff 00'],
    ['AMF3 vector of objects', decodeAmf3, '10 ff ff ff ff 00 01'],
    ['AMF3 dictionary', decodeAmf3, '11 ff ff ff ff 00'],
    ['AMF3 traits', decodeAmf3, '0a ff ff ff f3 01'],
  ])('refuse what an %s announces, before its bytes', (_name, decode, bytes) => {
    expect(() => decode(hex(bytes))).toThrow(limitError)
  })

  test('allow containers 32 deep, and others if asked to', () => {
    expect(decodeAmf0(nestedArrays(32))).toHaveLength(1)
    expect(() => decodeAmf0(nestedArrays(33))).toThrow(limitError)
    expect(decodeAmf0(nestedArrays(33), { depth: 33 })).toHaveLength(1)
    const objects = repeated(hex('03 0001 61'), 33)
    expect(() => decodeAmf0(objects)).toThrow(limitError)
  })

  test('count the depth through a switch to AMF3', () => {
    const amf3 = hex('11 09 03 01 09 01 01')
    expect(decodeAmf0(Buffer.concat([repeated(hex('0a 00000001'), 30), amf3]))).toHaveLength(1)
    const tooDeep = Buffer.concat([repeated(hex('0a 00000001'), 31), amf3])
    expect(() => decodeAmf0(tooDeep)).toThrow(limitError)
  })

  test('allow 4096 values in all', () => {
    expect(decodeAmf0(Buffer.alloc(4096, 5))).toHaveLength(4096)
    expect(() => decodeAmf0(Buffer.alloc(4097, 5))).toThrow(limitError)
    const array = Buffer.concat([hex('0a 00000fff'), Buffer.alloc(4095, 5)])
    expect(decodeAmf0(array)).toHaveLength(1)
    expect(() => decodeAmf0(Buffer.concat([array, hex('05')]))).toThrow(limitError)
    expect(() => decodeAmf0(hex('05 05 05'), { elements: 2 })).toThrow(limitError)
    expect(decodeAmf3(Buffer.alloc(4096, 1))).toHaveLength(4096)
    expect(() => decodeAmf3(Buffer.alloc(4097, 1))).toThrow(limitError)
  })

  test('allow strings of 64 kB, and 1 MiB of them', () => {
    const longest = Buffer.concat([hex('0c 00010000'), Buffer.alloc(65536, 'a')])
    expect(decodeAmf0(longest)).toEqual(['a'.repeat(65536)])
    expect(decodeAmf0(repeated(longest, 16))).toHaveLength(16)
    expect(() => decodeAmf0(Buffer.concat([repeated(longest, 16), hex('02 0001 61')]))).toThrow(limitError)
  })

  test('count a reference as what it stands for', () => {
    // An array of 100 nulls, and references to it: each is 101 values.
    const array = Buffer.concat([hex('0a 00000064'), Buffer.alloc(100, 5)])
    const references = (count: number) => Buffer.concat([array, repeated(hex('07 0000'), count)])
    expect(decodeAmf0(references(39))).toHaveLength(40)
    expect(() => decodeAmf0(references(40))).toThrow(limitError)
  })

  test('stop arrays that double with every reference', () => {
    // The first is [null, null]; each further one holds its predecessor twice, the second time by reference.
    const nested = [hex('0a 00000002 05 05')]
    for (let index = 0; index < 30; index += 1) {
      const number = Buffer.alloc(2)
      number.writeUInt16BE(index)
      nested.push(Buffer.concat([hex('0a 00000002 07'), number, hex('07'), number]))
    }
    expect(() => decodeAmf0(Buffer.concat(nested))).toThrow(limitError)
    expect(decodeAmf0(Buffer.concat(nested.slice(0, 10)))).toHaveLength(10)
  })

  test('count the depth of what a reference stands for', () => {
    // The n-th array holds the one before it: they are side by side in the bytes, but nested as values.
    const chain = (count: number) => {
      const arrays = [hex('0a 00000000')]
      for (let index = 0; index < count - 1; index += 1) {
        arrays.push(Buffer.concat([hex('0a 00000001 07'), Buffer.of(index >> 8, index & 0xff)]))
      }
      return Buffer.concat(arrays)
    }
    expect(decodeAmf0(chain(32))).toHaveLength(32)
    expect(() => decodeAmf0(chain(33))).toThrow(limitError)
  })

  test('count the text of a string, a byte array and traits that are referred to', () => {
    const text = Buffer.alloc(65536, 'a')
    // U29 of 2 * 65536 + 1: a length of 65536, sent in full.
    const length = hex('88 80 01')
    const referredTo = (first: Buffer, reference: Buffer, count: number) =>
      Buffer.concat([first, repeated(reference, count)])

    const string = Buffer.concat([hex('06'), length, text])
    expect(decodeAmf3(referredTo(string, hex('06 00'), 15))).toHaveLength(16)
    expect(() => decodeAmf3(referredTo(string, hex('06 00'), 16))).toThrow(limitError)

    const bytes = Buffer.concat([hex('0c'), length, text])
    expect(decodeAmf3(referredTo(bytes, hex('0c 00'), 15))).toHaveLength(16)
    expect(() => decodeAmf3(referredTo(bytes, hex('0c 00'), 16))).toThrow(limitError)

    const object = Buffer.concat([hex('0a 13 01'), length, text, hex('01')])
    expect(decodeAmf3(referredTo(object, hex('0a 01 01'), 15))).toHaveLength(16)
    expect(() => decodeAmf3(referredTo(object, hex('0a 01 01'), 16))).toThrow(limitError)

    const array = Buffer.concat([hex('09 03 01'), string])
    expect(decodeAmf3(referredTo(array, hex('09 00'), 15))).toHaveLength(16)
    expect(() => decodeAmf3(referredTo(array, hex('09 00'), 16))).toThrow(limitError)
  })

  test('count the items of a vector that is referred to', () => {
    const vector = Buffer.concat([hex('0d 81 49 00'), Buffer.alloc(400)])
    const references = (count: number) => Buffer.concat([vector, repeated(hex('0d 00'), count)])
    expect(decodeAmf3(references(39))).toHaveLength(40)
    expect(() => decodeAmf3(references(40))).toThrow(limitError)
  })
})

describe('the work of an AMF reader', () => {
  afterEach(() => vi.restoreAllMocks())

  /** Decodes with a count of all reads of bytes, and of all that is charged for references. */
  function countReads(decode: () => AmfValue[]): number {
    const reads = (['u8', 'u16', 'i16', 'u32', 'i32', 'f64', 'text', 'raw', 'peek', 'repeat'] as const).map(
      (name) => vi.spyOn(AmfInput.prototype, name),
    )
    try {
      decode()
    } catch (error) {
      expect(error).toMatchObject({ code: expect.stringMatching(/^AMF_/) })
    }
    const count = reads.reduce((sum, spy) => sum + spy.mock.calls.length, 0)
    vi.restoreAllMocks()
    return count
  }

  test.each<[string, (size: number) => Buffer]>([
    ['nulls', (size) => Buffer.alloc(size, 5)],
    ['objects without an end', (size) => repeated(hex('03 0001 61'), size / 4)],
    ['members with an empty name', (size) => Buffer.concat([hex('03'), repeated(hex('0000 05'), size / 3)])],
    [
      'members with one name',
      (size) => Buffer.concat([hex('08 00000000'), repeated(hex('0001 61 05'), size / 4)]),
    ],
    [
      'references to a large array',
      (size) => Buffer.concat([hex('0a 00000100'), Buffer.alloc(256, 5), repeated(hex('07 0000'), size / 3)]),
    ],
    ['AMF3 values', (size) => repeated(hex('11 09 01 01'), size / 4)],
    [
      'AMF3 objects of a class with many members',
      (size) =>
        Buffer.concat([
          hex('11 0a 88 03 01'),
          Buffer.alloc(64, 1),
          Buffer.alloc(64, 1),
          repeated(Buffer.concat([hex('11 0a 01'), Buffer.alloc(64, 1)]), Math.floor(size / 67)),
        ]),
    ],
  ])('grows no faster than the bytes: %s', (_name, body) => {
    for (const size of [1200, 12_000, 120_000]) {
      const bytes = body(size)
      const reads = countReads(() => decodeAmf0(bytes, { elements: 1e9 }))
      expect(reads).toBeGreaterThan(0)
      expect(reads).toBeLessThanOrEqual(2 * bytes.length)
    }
  })

  test('makes values that are no larger, walked as trees, than the limit', () => {
    const body = Buffer.concat([
      hex('0a 00000040'),
      Buffer.alloc(64, 5),
      hex('0a 00000010'),
      repeated(hex('07 0000'), 16),
      repeated(hex('07 0001'), 2),
    ])
    const total = decodeAmf0(body).reduce<number>((sum, value) => sum + treeSize(value), 0)
    expect(total).toBe(65 + 3 * (1 + 16 * 65))
    expect(() => decodeAmf0(body, { elements: total - 1 })).toThrow(limitError)
    expect(decodeAmf0(body, { elements: total })).toHaveLength(4)
  })
})

/** Values in a value, itself counted. */
function treeSize(value: AmfValue): number {
  return childrenOf(value).reduce<number>((sum, child) => sum + treeSize(child), 1)
}

function childrenOf(value: AmfValue): AmfValue[] {
  if (Array.isArray(value)) return value
  if (value instanceof AmfObject) return [...value.values()]
  if (value instanceof AmfEcmaArray) return [...value.values(), ...value.dense]
  if (value instanceof AmfVector) return value.items
  if (value instanceof AmfDictionary) return [...value].flat()
  return []
}
