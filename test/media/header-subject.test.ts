import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeAmf0 } from '../../src/media/amf0-writer.ts'
import { headerSubject } from '../../src/media/header-subject.ts'
import { audioType, type PacketType, videoType } from '../../src/media/packet.ts'
import { hex } from './bytes.ts'

const colorInfo = encodeAmf0('colorInfo', null).toString('hex')

test.each<[string, PacketType, string, string, number[]]>([
  ['an ordinary H.264 header', videoType, '17 00 000000 0142', 'sequence', [0]],
  ['an ordinary AAC header', audioType, 'af 00 1210', 'sequence', [0]],
  ['an enhanced header', videoType, '90 68766331 01', 'sequence', [0]],
  ['an AV1 header for MPEG-2 TS', videoType, '95 61763031 80', 'sequence', [0]],
  ['another track', videoType, '96 00 61766331 01 0142', 'sequence', [1]],
  ['two tracks', videoType, '96 10 61766331 00 000001 01 02 000001 02', 'sequence', [0, 2]],
  [
    'two tracks of two codecs',
    videoType,
    '96 20 61766331 03 000001 01 68766331 07 000001 02',
    'sequence',
    [3, 7],
  ],
  ['two tracks, the second cut off', videoType, '96 10 61766331 00 000001 01 02 0000', 'sequence', [0]],
  ['colours', videoType, `94 68766331 ${colorInfo}`, 'metadata colorInfo', [0]],
  ['colours of another track', videoType, `96 04 68766331 02 ${colorInfo}`, 'metadata colorInfo', [2]],
  ['metadata without a name', videoType, '94 68766331 05', 'metadata ', [0]],
  ['channels', audioType, '94 4f707573 00', 'channels', [0]],
  ['another audio track', audioType, '95 00 4f707573 01 4f', 'sequence', [1]],
  ['nothing at all', videoType, '', 'sequence', [0]],
])('%s', (_, type, body, subject, trackIds) => {
  expect(headerSubject(type, hex(body))).toStrictEqual({ subject, trackIds })
})

test('no body makes it throw, or name more tracks than there are', () => {
  const body = fc
    .tuple(fc.constantFrom(0x94, 0x95, 0x96, 0x97), fc.uint8Array({ maxLength: 4000 }))
    .map(([head, tail]) => Buffer.of(head, ...tail))
  fc.assert(
    fc.property(fc.constantFrom<PacketType>(audioType, videoType), body, (type, bytes) => {
      expect(headerSubject(type, bytes).trackIds.length).toBeLessThanOrEqual(256)
    }),
  )
  const empty = Buffer.concat([hex('96 10 61766331'), Buffer.alloc(100_000)])
  expect(headerSubject(videoType, empty).trackIds.length).toBe(256)
})
