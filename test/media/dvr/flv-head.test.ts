import { describe, expect, test } from 'vitest'
import { type AmfValue, amfEcmaArray, amfObject } from '../../../src/media/amf-value.ts'
import { encodeAmf0 } from '../../../src/media/amf0-writer.ts'
import {
  encodeFlvHead,
  type FlvHead,
  flvHeadBody,
  membersOf,
  readFlvHead,
} from '../../../src/media/dvr/flv-head.ts'
import { maxHeadBytes } from '../../../src/media/dvr/recording.ts'

const head: FlvHead = {
  facts: {
    ...{ vhost: 'v', app: 'live/a', stream: 'show', startedAtMs: 1_700_000_000_123, durationMs: 12_345 },
    ...{ video: 'H264', audio: null },
  },
  members: new Map<string, AmfValue>([
    ['width', 320],
    ['encoder', 'e'],
  ]),
  fileBytes: 5_000_000_000,
  points: Array.from({ length: 20 }, (_, index) => ({ at: index * 1000, timeMs: index * 2000 })),
}

describe('the head of an FLV recording', () => {
  test('says what it is, in as many bytes as it was given', () => {
    const bodyBytes = flvHeadBody(head, 20)
    const bytes = encodeFlvHead(head, bodyBytes)
    expect(bytes.length).toBe(13 + 11 + bodyBytes + 4)
    // A header of version 1 with video alone; a script tag.
    expect(bytes.subarray(0, 14).toString('hex')).toBe(`464c5601 01 00000009 00000000 12`.replaceAll(' ', ''))
    expect(readFlvHead(bytes)).toEqual({ ...head, bodyBytes, headBytes: bytes.length })
  })

  test('has as much of the index as fits, from the whole file', () => {
    const bytes = encodeFlvHead(head, flvHeadBody(head, 20) - 600)
    expect(bytes.length).toBe(encodeFlvHead(head, flvHeadBody(head, 20)).length - 600)
    const { points } = readFlvHead(bytes)!
    expect(points.map(({ timeMs }) => timeMs)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => n * 4000))
  })

  test('leaves out what an encoder says of the stream when that has grown too long', () => {
    const bodyBytes = flvHeadBody(head, 20)
    const members = new Map(Array.from({ length: 40 }, (_, index) => [`name${index}`, 'x'.repeat(400)]))
    const bytes = encodeFlvHead({ ...head, members }, bodyBytes)
    expect(readFlvHead(bytes)).toMatchObject({
      facts: head.facts,
      fileBytes: head.fileBytes,
      points: [],
      bodyBytes,
    })
    expect(readFlvHead(bytes)?.members.size).toBe(0)
  })

  test.each([
    ['an FLV file of somebody else', encodeAmf0('onMetaData', amfEcmaArray({ duration: 1 }))],
    ['metadata that do not parse', Buffer.from('02000a6f6e4d657461446174610300ff', 'hex')],
    ['an event that is no metadata', encodeAmf0('onCuePoint', amfEcmaArray({ recorder: 'Weir' }))],
  ])('is not that of %s', (_name, body) => {
    const front = encodeFlvHead(head, flvHeadBody(head, 0)).subarray(0, 24)
    const bytes = Buffer.concat([front, body, Buffer.alloc(4)])
    bytes.writeUIntBE(body.length, 14, 3)
    expect(readFlvHead(bytes)).toBeNull()
  })

  test('is none that is cut off, nor anything else', () => {
    const bytes = encodeFlvHead(head, flvHeadBody(head, 20))
    for (const length of [0, 5, 13, 20, 24, 200, bytes.length - 5]) {
      expect(readFlvHead(bytes.subarray(0, length))).toBeNull()
    }
    expect(readFlvHead(Buffer.alloc(1000))).toBeNull()
  })
})

describe('what an encoder says of the stream', () => {
  const of = (members: Record<string, AmfValue>) => [
    ...membersOf(encodeAmf0('onMetaData', amfEcmaArray(members))),
  ]

  test('is taken over, but for what the file says of itself and what is no plain value', () => {
    const said = { width: 1, stereo: true, encoder: 'e', object: amfObject({ a: 1 }), none: null }
    expect(
      of({ ...said, duration: 9, filesize: 9, keyframes: amfObject({}), padding: 'x', stream: 's' }),
    ).toEqual([
      ['width', 1],
      ['stereo', true],
      ['encoder', 'e'],
    ])
  })

  test('is bounded, so that a head is never too long to be read', () => {
    expect(of({ long: 'x'.repeat(513), short: 'x'.repeat(512) }).map(([name]) => name)).toEqual(['short'])
    const many = Object.fromEntries(
      Array.from({ length: 1000 }, (_, index) => [`n${index}`, 'y'.repeat(500)]),
    )
    const members = membersOf(encodeAmf0('onMetaData', amfEcmaArray(many)))
    expect(members.size).toBeLessThan(20)
    expect(flvHeadBody({ ...head, members }, 900) + 40).toBeLessThan(maxHeadBytes)
    expect(of({})).toEqual([])
    expect([...membersOf(Buffer.from('0200'))]).toEqual([])
  })
})
