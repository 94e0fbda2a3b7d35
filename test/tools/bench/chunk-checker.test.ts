import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codeOf } from '../../../src/base/errors.ts'
import { ChunkReader } from '../../../src/rtmp/chunk-reader.ts'
import { encodeMessage } from '../../../src/rtmp/chunk-writer.ts'
import { encodeAbort, encodeSetChunkSize } from '../../../src/rtmp/control.ts'
import { amf0CommandType, type RtmpMessage } from '../../../src/rtmp/message.ts'
import { ChunkChecker } from '../../../src/tools/bench/chunk-checker.ts'
import { hex, pieces } from '../../rtmp/bytes.ts'
import { ChunkEncoder } from '../../rtmp/chunk-encoder.ts'

const headBytes = 8

interface Seen {
  readonly type: number
  readonly timestamp: number
  /** Of media the first bytes. */
  readonly body: Buffer
}

/** What a checker delivers of bytes that come in pieces of a size. */
function check(wire: Buffer, size = wire.length): Seen[] {
  const seen: Seen[] = []
  const checker = new ChunkChecker(headBytes, {
    onMedia: (type, timestamp, bytes, start, end) =>
      seen.push({ type, timestamp, body: Buffer.from(bytes.subarray(start, end)) }),
    onMessage: ({ type, timestamp, body }) => seen.push({ type, timestamp, body }),
  })
  // The memory of a piece is used again, as that of a socket is.
  const read = Buffer.alloc(size)
  for (const piece of pieces(wire, size)) {
    piece.copy(read)
    checker.push(read.subarray(0, piece.length))
    read.fill(0xee)
  }
  return seen
}

/** The same as the reader sees it, which keeps all of each body. */
function readWhole(wire: Buffer): Seen[] {
  const messages: RtmpMessage[] = []
  const limits = { maxMessageSize: 8 << 20, maxPartialBytes: 16 << 20, maxChunkStreams: 64 }
  new ChunkReader(limits, (message) => messages.push(message)).push(wire)
  return messages.map(({ type, timestamp, body }) => {
    return { type, timestamp, body: type === amf0CommandType ? body : body.subarray(0, headBytes) }
  })
}

/** A message of the given type on chunk stream 6 and message stream 1. */
function message(type: number, bodyLength: number, timestamp = 0, streamId = 1, chunkSize = 128): Buffer {
  const body = Buffer.from(Array.from({ length: bodyLength }, (_, i) => i & 0xff))
  return encodeMessage({ chunkStreamId: 6, type, streamId, timestamp }, body, chunkSize)
}

describe('ChunkChecker', () => {
  test('shows the first bytes of media, and all of a command', () => {
    const wire = Buffer.concat([message(9, 10, 40), message(20, 10), message(8, 3, 41)])
    const bytes = hex('00 01 02 03 04 05 06 07 08 09')
    expect(check(wire)).toStrictEqual([
      { type: 9, timestamp: 40, body: bytes.subarray(0, 8) },
      { type: 20, timestamp: 0, body: bytes },
      { type: 8, timestamp: 41, body: bytes.subarray(0, 3) },
    ])
  })

  test.each([
    ['a body of no bytes', message(9, 0)],
    ['a body of several chunks', message(9, 300)],
    ['an extended timestamp in several chunks', message(9, 300, 0x01000000)],
    ['a chunk size', Buffer.concat([encodeSetChunkSize(4096, 128), message(9, 3000, 0, 1, 4096)])],
  ])('takes %s as the reader does, however it is cut', (_, wire) => {
    for (let size = 1; size <= 20; size++) expect(check(wire, size)).toStrictEqual(readWhole(wire))
  })

  test('forgets what is aborted', () => {
    const begun = message(9, 200).subarray(0, 12 + 128)
    const wire = Buffer.concat([begun, encodeAbort(6, 128), message(9, 2, 40)])
    expect(check(wire)).toStrictEqual([{ type: 9, timestamp: 40, body: hex('00 01') }])
  })

  test('agrees with the reader on whatever a peer sends and however it comes', () => {
    const chunkStreams = [4, 6, 64, 400]
    const step = fc.record({
      stream: fc.nat(chunkStreams.length - 1),
      format: fc.nat(3),
      type: fc.constantFrom(8, 9, 18, 20),
      stepMs: fc.constantFrom(0, 23, 40, 0xffffff, 0x01020304),
      length: fc.constantFrom(0, 1, 5, 9, 130, 300),
      chunkSize: fc.constantFrom(null, null, null, 2, 64, 4096),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.integer({ min: 1, max: 200 }), (steps, size) => {
        const encoder = new ChunkEncoder({ repeatsExtendedTimestamp: true })
        let timestamp = 0
        for (const { stream, format, type, stepMs, length, chunkSize } of steps) {
          const chunkStreamId = chunkStreams[stream]!
          if (chunkSize !== null) encoder.setChunkSize(chunkSize)
          timestamp = (timestamp + stepMs) >>> 0
          // A chunk stream that is busy goes on; else it begins the next message. So they interleave.
          if (encoder.isSending(chunkStreamId)) encoder.proceed(chunkStreamId)
          else
            encoder.begin(
              chunkStreamId,
              { type, timestamp, streamId: 1, body: Buffer.alloc(length, 7) },
              format,
            )
        }
        expect(check(encoder.wire, size)).toStrictEqual(readWhole(encoder.wire))
      }),
    )
  })
})

describe('a fault of the server', () => {
  const begun = message(9, 200).subarray(0, 12 + 128)
  const extended = message(9, 300, 0x01000000)

  test.each([
    ['a chunk stream that begins with type 3', hex('c6'), 'RTMP_CHUNK_HEADER'],
    ['a chunk stream that begins with type 2', hex('86 000028'), 'RTMP_CHUNK_HEADER'],
    ['a message inside another', Buffer.concat([begun, message(9, 5)]), 'RTMP_CHUNK_HEADER'],
    ['a byte too many', Buffer.concat([message(9, 5), hex('ee'), message(9, 5)]), 'RTMP_CHUNK_HEADER'],
    ['a byte too few', Buffer.concat([message(9, 5).subarray(0, 16), message(9, 5)]), 'RTMP_CHUNK_HEADER'],
    ['a message type that does not exist', message(12, 5), 'RTMP_CHUNK_HEADER'],
    [
      'media on two message streams',
      Buffer.concat([message(9, 5), message(8, 5, 0, 2)]),
      'RTMP_CHUNK_HEADER',
    ],
    [
      'an extended timestamp that is not repeated',
      Buffer.concat([extended.subarray(0, 16 + 128 + 1), extended.subarray(16 + 128 + 5)]),
      'RTMP_CHUNK_HEADER',
    ],
    ['a chunk size of 0', encodeSetChunkSize(0, 128), 'RTMP_CHUNK_SIZE'],
    ['a message of 16 MB', hex('06 000000 ffffff 09 01000000'), 'RTMP_MESSAGE_SIZE'],
    [
      '65 chunk streams',
      Buffer.concat(
        Array.from({ length: 65 }, (_, i) =>
          encodeMessage({ chunkStreamId: 3 + i, type: 9, streamId: 1, timestamp: 0 }, Buffer.of(1), 128),
        ),
      ),
      'RTMP_CHUNK_STREAMS',
    ],
  ])('%s', (_, wire, code) => {
    for (const size of [1, 7, wire.length]) {
      expect(codeOf(thrownBy(() => check(wire, size)))).toBe(code)
    }
  })
})

function thrownBy(action: () => unknown): unknown {
  try {
    action()
  } catch (error) {
    return error
  }
  return null
}
