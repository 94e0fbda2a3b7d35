import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { amfEcmaArray, amfObject } from '../../src/media/amf-value.ts'
import { encodeAmf0 } from '../../src/media/amf0-writer.ts'
import { dataEventName, isMetadata, readMetadata, unwrapSetDataFrame } from '../../src/media/metadata.ts'
import { hex } from './bytes.ts'

const members = amfEcmaArray({ width: 640, encoder: 'Lavf' })
const plain = encodeAmf0('onMetaData', members)
const wrapped = encodeAmf0('@setDataFrame', 'onMetaData', members)

describe('unwrapSetDataFrame', () => {
  test('gives what follows @setDataFrame, in the same memory', () => {
    const body = unwrapSetDataFrame(wrapped)
    expect(body).toEqual(plain)
    expect(body.buffer).toBe(wrapped.buffer)
  })

  test.each([
    ['another event', plain],
    ['a name that only begins so', encodeAmf0('@setDataFrames', 1)],
    ['a name that is cut off', wrapped.subarray(0, 10)],
    ['nothing', Buffer.alloc(0)],
  ])('leaves %s as it is', (_name, body) => {
    expect(unwrapSetDataFrame(body)).toBe(body)
  })
})

describe('dataEventName', () => {
  test.each([
    ['metadata', plain, 'onMetaData'],
    ['an event without values', encodeAmf0('onCuePoint'), 'onCuePoint'],
    ['an empty name', hex('02 0000'), ''],
    ['values that are broken', hex('02 0001 61 ff'), 'a'],
    ['the longest name', encodeAmf0('x'.repeat(255)), 'x'.repeat(255)],
    ['a longer name', encodeAmf0('x'.repeat(256)), null],
    ['a name that is cut off', hex('02 0002 61'), null],
    ['a number', hex('00 0000000000000000'), null],
    ['half a length', hex('02 00'), null],
    ['nothing', Buffer.alloc(0), null],
  ])('of %s', (_name, body, expected) => {
    expect(dataEventName(body)).toBe(expected)
  })
})

test('isMetadata is for onMetaData alone', () => {
  expect(isMetadata('onMetaData')).toBe(true)
  expect(isMetadata('onMetadata')).toBe(false)
  expect(isMetadata(null)).toBe(false)
})

describe('readMetadata', () => {
  test.each([
    ['an associative array', plain, members],
    ['what @setDataFrame wraps', wrapped, members],
    ['an object', encodeAmf0('onMetaData', amfObject({ a: 1 })), amfObject({ a: 1 })],
    ['an AMF3 object', hex('02 0001 61 11 0a 0b 01 03 62 03 01'), amfObject({ b: true })],
    ['the first value of several', encodeAmf0('onMetaData', members, 'rest'), members],
    ['a value without members', encodeAmf0('onMetaData', 'text'), null],
    ['an event without values', encodeAmf0('onMetaData'), null],
    ['nothing', Buffer.alloc(0), null],
  ])('reads %s', (_name, body, expected) => {
    expect(readMetadata(body)).toEqual(expected)
  })

  test('is bounded, by other limits if asked to', () => {
    const index = encodeAmf0('onMetaData', amfEcmaArray({ times: Array<number>(5000).fill(0) }))
    expect(() => readMetadata(index)).toThrow(expect.objectContaining({ code: 'AMF_LIMIT' }))
    expect(readMetadata(index, { elements: 10_000 })?.get('times')).toHaveLength(5000)
  })

  test('throws nothing but coded errors', () => {
    fc.assert(
      fc.property(fc.nat(wrapped.length - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const body = Buffer.from(wrapped)
        body[at] = value
        try {
          readMetadata(body)
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^AMF_/) })
        }
      }),
    )
  })
})
