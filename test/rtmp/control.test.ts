import { describe, expect, it } from 'vitest'
import {
  type ControlMessage,
  decodeControl,
  dynamicLimit,
  encodeAbort,
  encodeAcknowledgement,
  encodePingRequest,
  encodePingResponse,
  encodeSetBufferLength,
  encodeSetChunkSize,
  encodeSetPeerBandwidth,
  encodeStreamBegin,
  encodeStreamDry,
  encodeStreamEof,
  encodeStreamIsRecorded,
  encodeWindowAckSize,
} from '../../src/rtmp/control.ts'
import { hex } from './bytes.ts'

function message(type: number, body: string) {
  return { type, timestamp: 0, streamId: 0, body: hex(body) }
}

/** A control message, what encodes it, and its type and body on the wire. */
const cases: [ControlMessage, (chunkSize: number) => Buffer, number, string][] = [
  [{ kind: 'set-chunk-size', size: 60000 }, (chunk) => encodeSetChunkSize(60000, chunk), 1, '0000ea60'],
  [{ kind: 'abort', chunkStreamId: 320 }, (chunk) => encodeAbort(320, chunk), 2, '00000140'],
  [
    { kind: 'acknowledgement', sequenceNumber: 0xfffffffe },
    (chunk) => encodeAcknowledgement(0xfffffffe, chunk),
    3,
    'fffffffe',
  ],
  [{ kind: 'window-ack-size', size: 2500000 }, (chunk) => encodeWindowAckSize(2500000, chunk), 5, '002625a0'],
  [
    { kind: 'set-peer-bandwidth', size: 2500000, limit: dynamicLimit },
    (chunk) => encodeSetPeerBandwidth(2500000, dynamicLimit, chunk),
    6,
    '002625a0 02',
  ],
  [{ kind: 'stream-begin', streamId: 1 }, (chunk) => encodeStreamBegin(1, chunk), 4, '0000 00000001'],
  [{ kind: 'stream-eof', streamId: 2 }, (chunk) => encodeStreamEof(2, chunk), 4, '0001 00000002'],
  [{ kind: 'stream-dry', streamId: 3 }, (chunk) => encodeStreamDry(3, chunk), 4, '0002 00000003'],
  [
    { kind: 'set-buffer-length', streamId: 1, durationMs: 3000 },
    (chunk) => encodeSetBufferLength(1, 3000, chunk),
    4,
    '0003 00000001 00000bb8',
  ],
  [
    { kind: 'stream-is-recorded', streamId: 1 },
    (chunk) => encodeStreamIsRecorded(1, chunk),
    4,
    '0004 00000001',
  ],
  [
    { kind: 'ping-request', timestamp: 0xf0000001 },
    (chunk) => encodePingRequest(0xf0000001, chunk),
    4,
    '0006 f0000001',
  ],
  [
    { kind: 'ping-response', timestamp: 0xf0000001 },
    (chunk) => encodePingResponse(0xf0000001, chunk),
    4,
    '0007 f0000001',
  ],
]

describe('decodeControl', () => {
  it.each(cases)('reads %o', (decoded, _encode, type, body) => {
    expect(decodeControl(message(type, body))).toEqual(decoded)
  })

  it('ignores bytes beyond what the type needs', () => {
    expect(decodeControl(message(5, '00000010 ff'))).toEqual({ kind: 'window-ack-size', size: 16 })
  })

  it('keeps an event it has no name for', () => {
    expect(decodeControl(message(4, '0020 00000001'))).toEqual({
      kind: 'unknown-event',
      event: 32,
      data: hex('00000001'),
    })
    expect(decodeControl(message(4, '001a'))).toEqual({
      kind: 'unknown-event',
      event: 26,
      data: Buffer.alloc(0),
    })
  })

  it.each(cases)('refuses %o when its last byte is missing', (_decoded, _encode, type, body) => {
    expect(() => decodeControl(message(type, body.slice(0, -2)))).toThrowError(
      expect.objectContaining({ code: 'RTMP_CONTROL' }),
    )
  })

  it.each([1, 2, 3, 4, 5, 6])('refuses an empty message of type %i', (type) => {
    expect(() => decodeControl(message(type, ''))).toThrowError(
      expect.objectContaining({ code: 'RTMP_CONTROL' }),
    )
  })

  it('refuses a message that is no control message', () => {
    expect(() => decodeControl(message(8, '00000000'))).toThrowError(
      expect.objectContaining({ code: 'RTMP_CONTROL' }),
    )
  })

  it.each(['00000000', '80000000', 'ffffffff'])('refuses a chunk size of 0x%s', (body) => {
    expect(() => decodeControl(message(1, body))).toThrowError(
      expect.objectContaining({ code: 'RTMP_CHUNK_SIZE' }),
    )
  })

  it.each([
    ['00000001', 1],
    ['7fffffff', 0x7fffffff],
  ])('accepts a chunk size of 0x%s', (body, size) => {
    expect(decodeControl(message(1, body))).toEqual({ kind: 'set-chunk-size', size })
  })
})

describe('the encoders', () => {
  it.each(cases)('write %o on chunk stream 2 and message stream 0', (_decoded, encode, type, digits) => {
    const body = hex(digits)
    const header = hex('02 000000 000000 00 00000000')
    header.writeUIntBE(body.length, 4, 3)
    header.writeUInt8(type, 7)
    expect(encode(128).toString('hex')).toBe(Buffer.concat([header, body]).toString('hex'))
  })

  it('honour a chunk size below their length', () => {
    expect(encodePingRequest(7, 4).toString('hex')).toBe(
      hex('02 000000 000006 04 00000000 00060000 c2 0007').toString('hex'),
    )
  })

  it('count acknowledged bytes modulo 2^32', () => {
    expect(encodeAcknowledgement(2 ** 32 + 5, 128).readUInt32BE(12)).toBe(5)
  })
})
