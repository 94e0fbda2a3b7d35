import { describe, expect, test } from 'vitest'
import {
  AmfEcmaArray,
  AmfObject,
  amfEcmaArray,
  amfObject,
  asNumber,
  asRecord,
  asString,
  getNumber,
  getString,
} from '../../src/media/amf-value.ts'

describe('AMF values', () => {
  test('are made of literals', () => {
    expect(amfObject({ a: 1, b: 'c' })).toEqual(
      new AmfObject([
        ['a', 1],
        ['b', 'c'],
      ]),
    )
    expect(amfEcmaArray({ a: 1 })).toEqual(new AmfEcmaArray([['a', 1]]))
  })

  test('are read as what they are, else as null', () => {
    expect(asString('')).toBe('')
    expect(asString(1)).toBeNull()
    expect(asNumber(0)).toBe(0)
    expect(asNumber('0')).toBeNull()
    const object = amfObject({})
    expect(asRecord(object)).toBe(object)
    const array = amfEcmaArray({})
    expect(asRecord(array)).toBe(array)
    expect(asRecord([])).toBeNull()
    expect(asRecord(null)).toBeNull()
  })

  test('give their members', () => {
    const object = amfObject({ app: 'live', objectEncoding: 3 })
    expect(getString(object, 'app')).toBe('live')
    expect(getString(object, 'objectEncoding')).toBeNull()
    expect(getString(object, 'tcUrl')).toBeNull()
    expect(getNumber(object, 'objectEncoding')).toBe(3)
    expect(getNumber(object, 'app')).toBeNull()
    expect(getNumber(amfEcmaArray({ width: 640 }), 'width')).toBe(640)
    expect(getString('app', 'app')).toBeNull()
    expect(getNumber(undefined, 'app')).toBeNull()
  })
})
