import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  AmfDictionary,
  AmfEcmaArray,
  AmfObject,
  type AmfValue,
  AmfVector,
} from '../../src/media/amf-value.ts'
import { decodeAmf0, decodeAmf3Command } from '../../src/media/amf0-reader.ts'
import { encodeAmf0 } from '../../src/media/amf0-writer.ts'
import { decodeAmf3 } from '../../src/media/amf3-reader.ts'
import { encodeAmf3 } from '../../src/media/amf3-writer.ts'
import { amf0Value, amf3Value } from './amf-generators.ts'

/** Equality of vitest does not look at the order of a map's entries: make it visible. */
function ordered(value: AmfValue): unknown {
  if (Array.isArray(value)) return value.map(ordered)
  if (value instanceof AmfObject) return { object: entriesOf(value), traits: value.traits }
  if (value instanceof AmfEcmaArray) return { ecmaArray: entriesOf(value), dense: value.dense.map(ordered) }
  if (value instanceof AmfDictionary) return { dictionary: entriesOf(value), weakKeys: value.weakKeys }
  if (value instanceof AmfVector) return { ...value, items: value.items.map(ordered) }
  return value
}

function entriesOf(map: Map<AmfValue, AmfValue>): unknown[] {
  return [...map].map(([key, value]) => [ordered(key), ordered(value)])
}

function expectSame(actual: AmfValue[], expected: AmfValue[]): void {
  expect(actual.map(ordered)).toStrictEqual(expected.map(ordered))
}

/** What may happen to a body on its way: some bytes change, and it is cut off. */
const damage = fc.record({
  changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
  keep: fc.double({ min: 0, max: 1, noNaN: true }),
})

function damaged(bytes: Buffer, { changes, keep }: { changes: [number, number][]; keep: number }): Buffer {
  const copy = Buffer.from(bytes.subarray(0, Math.ceil(bytes.length * keep)))
  for (const [at, value] of changes) if (copy.length > 0) copy[at % copy.length] = value
  return copy
}

function expectCodedErrorsOnly(decode: () => unknown): void {
  try {
    decode()
  } catch (error) {
    expect(error).toMatchObject({ name: 'WeirError', code: expect.stringMatching(/^AMF_/) })
  }
}

describe('AMF0', () => {
  test('reads what it wrote', () => {
    fc.assert(
      fc.property(fc.array(amf0Value, { maxLength: 4 }), (values) => {
        expectSame(decodeAmf0(encodeAmf0(...values)), values)
      }),
      { numRuns: 300 },
    )
  })

  test('writes again the bytes that it read', () => {
    fc.assert(
      fc.property(fc.array(amf0Value, { maxLength: 4 }), (values) => {
        const bytes = encodeAmf0(...values, ...values)
        expect(encodeAmf0(...decodeAmf0(bytes))).toEqual(bytes)
      }),
      { numRuns: 300 },
    )
  })

  test('carries every AMF3 value', () => {
    fc.assert(
      fc.property(amf3Value, (value) => {
        expectSame(decodeAmf0(encodeAmf0('name', value)), ['name', value])
      }),
      { numRuns: 300 },
    )
  })

  test('throws nothing but coded errors, whatever it reads', () => {
    fc.assert(
      fc.property(amf0Value, amf3Value, damage, (first, second, change) => {
        const bytes = damaged(encodeAmf0(first, second), change)
        expectCodedErrorsOnly(() => decodeAmf0(bytes))
        expectCodedErrorsOnly(() => decodeAmf3Command(bytes))
      }),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0x13 })), (markers) => {
        expectCodedErrorsOnly(() => decodeAmf0(Buffer.from(markers)))
      }),
      { numRuns: 500 },
    )
  })

  test('notices every cut', () => {
    fc.assert(
      fc.property(amf0Value, (value) => {
        const bytes = encodeAmf0(value)
        for (let length = 1; length < bytes.length; length += 1) {
          expect(() => decodeAmf0(bytes.subarray(0, length))).toThrow(
            expect.objectContaining({ code: 'AMF_TRUNCATED' }),
          )
        }
      }),
      { numRuns: 50 },
    )
  })
})

describe('AMF3', () => {
  test('reads what it wrote', () => {
    fc.assert(
      fc.property(fc.array(amf3Value, { maxLength: 4 }), (values) => {
        expectSame(decodeAmf3(encodeAmf3(...values)), values)
      }),
      { numRuns: 300 },
    )
  })

  test('writes again the bytes that it read', () => {
    fc.assert(
      fc.property(fc.array(amf3Value, { maxLength: 4 }), (values) => {
        const bytes = encodeAmf3(...values, ...values)
        expect(encodeAmf3(...decodeAmf3(bytes))).toEqual(bytes)
      }),
      { numRuns: 300 },
    )
  })

  test('throws nothing but coded errors, whatever it reads', () => {
    fc.assert(
      fc.property(amf3Value, damage, (value, change) => {
        expectCodedErrorsOnly(() => decodeAmf3(damaged(encodeAmf3(value), change)))
      }),
      { numRuns: 500 },
    )
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0x13 })), (markers) => {
        expectCodedErrorsOnly(() => decodeAmf3(Buffer.from(markers)))
      }),
      { numRuns: 500 },
    )
  })
})
