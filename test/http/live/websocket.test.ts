import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  acceptKey,
  encodeClose,
  encodeFrame,
  isKey,
  opcode,
  WebSocketMuxer,
} from '../../../src/http/live/websocket.ts'
import type { BatchMuxer } from '../../../src/live/broadcast.ts'
import { keyFrame } from '../../support/packets.ts'
import { readFrames } from './frames.ts'

test('the answer to a key is that of RFC 6455, 1.3', () => {
  expect(acceptKey('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
})

test.each([
  ['dGhlIHNhbXBsZSBub25jZQ==', true],
  ['dGhlIHNhbXBsZSBub25jZQ', false],
  ['dGhlIHNhbXBsZSBub25jZQ==\r\n', false],
  [undefined, false],
])('%j is a key: %s', (key, expected) => {
  expect(isKey(key)).toBe(expected)
})

test.each([
  [0, '8200'],
  [125, '827d'],
  [126, '827e007e'],
  [0xffff, '827effff'],
  [0x10000, '827f0000000000010000'],
])('a frame of %d bytes begins as RFC 6455, 5.2 has it', (length, header) => {
  const frame = encodeFrame(opcode.binary, Buffer.alloc(length))
  expect(frame.subarray(0, frame.length - length).toString('hex')).toBe(header)
})

test('a close frame carries its code and at most 123 bytes of reason', () => {
  expect(encodeClose(1001, 'bye').toString('hex')).toBe('880503e9627965')
  expect(encodeClose(1001, 'x'.repeat(500)).length).toBe(2 + 125)
})

describe('the muxer', () => {
  /** A muxer whose packets need less room than it announces. */
  const inner = (spare: number): BatchMuxer => ({
    sizeOf: (bodyLength) => bodyLength + spare,
    write: (target, at, { body }) => at + body.copy(target, at),
  })

  test('puts each packet into a message of its own, in no more room than announced', () => {
    const sizes = fc.array(fc.oneof(fc.nat(300), fc.integer({ min: 65_400, max: 65_700 })), { maxLength: 4 })
    fc.assert(
      fc.property(sizes, fc.nat(200), (lengths, spare) => {
        const muxer = new WebSocketMuxer(inner(spare))
        const bodies = lengths.map((length, index) => Buffer.alloc(length, index + 1))
        const target = Buffer.alloc(bodies.reduce((sum, { length }) => sum + muxer.sizeOf(length, 0), 0))
        let end = 0
        for (const body of bodies) {
          const next = muxer.write(target, end, keyFrame(0, body), 0)
          expect(next - end).toBeLessThanOrEqual(muxer.sizeOf(body.length, 0))
          end = next
        }
        // A packet that the inner muxer leaves out is no message.
        const written = bodies.filter(({ length }) => length > 0)
        expect(readFrames(target.subarray(0, end))).toStrictEqual(
          written.map((payload) => ({ code: opcode.binary, payload })),
        )
      }),
      { numRuns: 50 },
    )
  })
})
