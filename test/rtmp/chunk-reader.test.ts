import { describe, expect, it } from 'vitest'
import { type ChunkLimits, ChunkReader } from '../../src/rtmp/chunk-reader.ts'
import type { RtmpMessage } from '../../src/rtmp/message.ts'
import { hex, pieces } from './bytes.ts'

const limits: ChunkLimits = { maxMessageSize: 8 << 20, maxPartialBytes: 16 << 20, maxChunkStreams: 64 }

function read(wire: Buffer, pieceSize = wire.length): RtmpMessage[] {
  const messages: RtmpMessage[] = []
  const reader = new ChunkReader(limits, (message) => messages.push(message))
  for (const piece of pieces(wire, pieceSize)) reader.push(piece)
  return messages
}

function message(type: number, timestamp: number, streamId: number, body: string): RtmpMessage {
  return { type, timestamp, streamId, body: hex(body) }
}

const cases: [string, string, RtmpMessage[]][] = [
  ['type 0', '04 00000a 000002 08 01000000 aabb', [message(8, 10, 1, 'aabb')]],
  [
    'type 0 with a time, a length and a stream id of all their bytes',
    `06 0a0b0c 000102 09 01020304 ${'11'.repeat(128)} c6 ${'22'.repeat(128)} c6 3333`,
    [message(9, 0x0a0b0c, 0x04030201, `${'11'.repeat(128)}${'22'.repeat(128)}3333`)],
  ],
  ['a stream id with the top bit', '04 000000 000001 08 ffffffff aa', [message(8, 0, 0xffffffff, 'aa')]],
  [
    'type 1: delta, length and type, the stream id stays',
    '04 00000a 000002 08 01000000 aabb 44 000005 000001 09 cc',
    [message(8, 10, 1, 'aabb'), message(9, 15, 1, 'cc')],
  ],
  [
    'type 2: only a delta',
    '04 00000a 000002 08 01000000 aabb 84 000005 ccdd',
    [message(8, 10, 1, 'aabb'), message(8, 15, 1, 'ccdd')],
  ],
  [
    'type 3 after type 2: the same delta once more, and again',
    '04 00000a 000001 08 01000000 aa 84 000005 bb c4 cc c4 dd',
    [message(8, 10, 1, 'aa'), message(8, 15, 1, 'bb'), message(8, 20, 1, 'cc'), message(8, 25, 1, 'dd')],
  ],
  [
    'type 3 after type 1: its delta',
    '04 00000a 000001 08 01000000 aa 44 000005 000001 08 bb c4 cc',
    [message(8, 10, 1, 'aa'), message(8, 15, 1, 'bb'), message(8, 20, 1, 'cc')],
  ],
  [
    'type 3 after type 0: its time is the delta (5.3.1.2.4), as FMLE sends audio',
    '04 00001a 000001 08 01000000 aa c4 bb',
    [message(8, 26, 1, 'aa'), message(8, 52, 1, 'bb')],
  ],
  [
    'the chunks of audio messages 20 ms apart (5.3.2.1)',
    '03 0003e8 000002 08 39300000 a1a1 83 000014 a2a2 c3 a3a3 c3 a4a4',
    [
      message(8, 1000, 12345, 'a1a1'),
      message(8, 1020, 12345, 'a2a2'),
      message(8, 1040, 12345, 'a3a3'),
      message(8, 1060, 12345, 'a4a4'),
    ],
  ],
  [
    'the chunks of a video message of 307 bytes (5.3.2.2)',
    `04 0003e8 000133 09 3a300000 ${'a1'.repeat(128)} c4 ${'a2'.repeat(128)} c4 ${'a3'.repeat(51)}`,
    [message(9, 1000, 12346, `${'a1'.repeat(128)}${'a2'.repeat(128)}${'a3'.repeat(51)}`)],
  ],
  [
    'a fresh chunk stream that begins with type 1, as pings of librtmp do: stream 0',
    '42 000000 000006 04 0006 00000d0f',
    [message(4, 0, 0, '0006 00000d0f')],
  ],
  [
    'a fresh chunk stream that begins with type 1: the delta counts from 0',
    '42 000007 000001 08 aa c2 bb',
    [message(8, 7, 0, 'aa'), message(8, 14, 0, 'bb')],
  ],
  [
    'chunk stream ids of two bytes',
    '0000 000000 000001 08 01000000 aa 00ff 000000 000001 08 02000000 bb c000 cc c0ff dd',
    [message(8, 0, 1, 'aa'), message(8, 0, 2, 'bb'), message(8, 0, 1, 'cc'), message(8, 0, 2, 'dd')],
  ],
  [
    'chunk stream ids of three bytes, little-endian',
    '010001 000000 000001 08 01000000 aa 01ffff 000000 000001 08 02000000 bb c10001 cc c1ffff dd',
    [message(8, 0, 1, 'aa'), message(8, 0, 2, 'bb'), message(8, 0, 1, 'cc'), message(8, 0, 2, 'dd')],
  ],
  [
    'one chunk stream by both forms of its id (64 to 319 have two)',
    '0005 000003 000001 08 01000000 aa c10500 bb',
    [message(8, 3, 1, 'aa'), message(8, 6, 1, 'bb')],
  ],
  [
    'empty messages, also by type 3',
    '04 000001 000000 08 01000000 c4 44 000001 000001 08 aa',
    [message(8, 1, 1, ''), message(8, 2, 1, ''), message(8, 3, 1, 'aa')],
  ],
  [
    'interleaved chunk streams, in the order in which the messages end',
    `06 000001 000082 09 01000000 ${'11'.repeat(128)} 04 000002 000001 08 01000000 aa c6 2222`,
    [message(8, 2, 1, 'aa'), message(9, 1, 1, `${'11'.repeat(128)}2222`)],
  ],
  ['an extended timestamp', '04 ffffff 000001 08 01000000 fedcba98 aa', [message(8, 0xfedcba98, 1, 'aa')]],
  ['the largest time without one', '04 fffffe 000001 08 01000000 aa', [message(8, 0xfffffe, 1, 'aa')]],
  [
    'an extended timestamp below what needs it',
    '04 ffffff 000001 08 01000000 00000005 aa',
    [message(8, 5, 1, 'aa')],
  ],
  [
    'an extended delta',
    '04 000010 000001 08 01000000 aa 84 ffffff 01000000 bb',
    [message(8, 16, 1, 'aa'), message(8, 0x01000010, 1, 'bb')],
  ],
  [
    'times that wrap at 2^32',
    '04 ffffff 000001 08 01000000 fffffff0 aa 84 000020 bb c4 cc',
    [message(8, 0xfffffff0, 1, 'aa'), message(8, 0x10, 1, 'bb'), message(8, 0x30, 1, 'cc')],
  ],
  [
    'type 3 chunks that repeat the extended timestamp',
    `06 ffffff 000082 09 01000000 01020304 ${'11'.repeat(128)} c6 01020304 2222`,
    [message(9, 0x01020304, 1, `${'11'.repeat(128)}2222`)],
  ],
  [
    'type 3 chunks that do not',
    `06 ffffff 000086 09 01000000 01020304 ${'11'.repeat(128)} c6 222222222222`,
    [message(9, 0x01020304, 1, `${'11'.repeat(128)}222222222222`)],
  ],
  [
    'type 3 chunks that do not, with less than four bytes to come',
    `06 ffffff 000081 09 01000000 01020304 ${'11'.repeat(128)} c6 22`,
    [message(9, 0x01020304, 1, `${'11'.repeat(128)}22`)],
  ],
  ...[1, 2, 3].map((matching): [string, string, RtmpMessage[]] => {
    const payload = `${'01020304'.slice(0, 2 * matching)}ee`
    const length = `0000${(128 + matching + 1).toString(16)}`
    return [
      `payload that agrees with the extended timestamp for ${matching} bytes`,
      `06 ffffff ${length} 09 01000000 01020304 ${'11'.repeat(128)} c6 ${payload}`,
      [message(9, 0x01020304, 1, `${'11'.repeat(128)}${payload}`)],
    ]
  }),
  [
    'payload of two bytes that agree, then a type 3 chunk of another chunk stream',
    `04 000001 000001 08 01000000 aa 06 ffffff 000082 09 01000000 0102c404 ${'11'.repeat(128)} c6 0102 c4 bb`,
    [message(8, 1, 1, 'aa'), message(9, 0x0102c404, 1, `${'11'.repeat(128)}0102`), message(8, 2, 1, 'bb')],
  ],
  [
    'a type 3 chunk that begins a message and repeats an extended delta',
    '04 000010 000001 08 01000000 aa 84 ffffff 01000000 bb c4 01000000 cc',
    [message(8, 16, 1, 'aa'), message(8, 0x01000010, 1, 'bb'), message(8, 0x02000010, 1, 'cc')],
  ],
  [
    'a type 3 chunk that begins a message and does not repeat it',
    '04 000010 000001 08 01000000 aa 84 ffffff 01000000 bb c4 cc',
    [message(8, 16, 1, 'aa'), message(8, 0x01000010, 1, 'bb'), message(8, 0x02000010, 1, 'cc')],
  ],
  [
    'no extended timestamp in type 3 once a header came without one',
    '04 ffffff 000001 08 01000000 01000000 aa 84 000001 bb c4 01',
    [message(8, 0x01000000, 1, 'aa'), message(8, 0x01000001, 1, 'bb'), message(8, 0x01000002, 1, '01')],
  ],
  [
    'Set Chunk Size in the middle of a message: for the chunks that begin after it',
    `06 000000 000108 09 01000000 ${'11'.repeat(128)} 02 000000 000004 01 00000000 00000100 c6 ${'22'.repeat(136)}`,
    [message(9, 0, 1, `${'11'.repeat(128)}${'22'.repeat(136)}`)],
  ],
  [
    'a chunk size of 1, and Set Chunk Size in chunks of its own',
    `02 000000 000004 01 00000000 00000001
     04 000000 000003 08 01000000 aa c4 bb c4 cc
     02 000000 000004 01 00000000 00 c2 00 c2 00 c2 80
     44 000000 000003 08 ddeeff`,
    [message(8, 0, 1, 'aabbcc'), message(8, 0, 1, 'ddeeff')],
  ],
  [
    'the largest chunk size',
    `02 000000 000004 01 00000000 7fffffff 06 000000 000100 09 01000000 ${'33'.repeat(256)}`,
    [message(9, 0, 1, '33'.repeat(256))],
  ],
  [
    'Abort: the message is dropped, the next delta counts from its time',
    `06 000064 000081 09 01000000 ${'11'.repeat(128)} 02 000000 000004 02 00000000 00000006
     46 000001 000001 09 aa`,
    [message(9, 101, 1, 'aa')],
  ],
  [
    'Abort of nothing: between messages, and of a chunk stream never used',
    `06 000001 000001 09 01000000 aa 02 000000 000004 02 00000000 00000006
     c2 00000009 c2 0001ffff c6 bb`,
    [message(9, 1, 1, 'aa'), message(9, 2, 1, 'bb')],
  ],
  [
    'no extended timestamp in type 3 after a type 1 without one in the middle of a message',
    `06 ffffff 000108 09 01000000 01020304 ${'11'.repeat(128)} 46 000000 000108 09 ${'22'.repeat(128)}
     c6 01020304 33333333`,
    [message(9, 0x01020304, 1, `${'11'.repeat(128)}${'22'.repeat(128)}0102030433333333`)],
  ],
  [
    'types 1 and 2 in the middle of a message: it goes on',
    `06 000001 000103 09 01000000 ${'11'.repeat(128)} 46 000005 000103 09 ${'22'.repeat(128)} 86 000005 333333
     c6 ${'44'.repeat(128)} c6 ${'44'.repeat(128)} c6 444444`,
    [
      message(9, 1, 1, `${'11'.repeat(128)}${'22'.repeat(128)}333333`),
      message(9, 2, 1, `${'44'.repeat(259)}`),
    ],
  ],
]

describe('ChunkReader', () => {
  it.each(cases)('reads %s', (_, wire, messages) => {
    expect(read(hex(wire))).toEqual(messages)
  })

  it.each(cases)('reads it byte by byte: %s', (_, wire, messages) => {
    expect(read(hex(wire), 1)).toEqual(messages)
  })

  it.each([
    ['type 2 on a fresh chunk stream', '84 000000'],
    ['type 3 on a fresh chunk stream', 'c4'],
    ['type 3 on a fresh chunk stream of a long id', 'c10001'],
    [
      'type 0 in the middle of a message',
      `06 000000 000081 09 01000000 ${'11'.repeat(128)} 06 000000 000081 09 01000000`,
    ],
    [
      'type 1 with another length in the middle of a message',
      `06 000000 000081 09 01000000 ${'11'.repeat(128)} 46 000000 000082 09`,
    ],
  ])('refuses %s', (_, wire) => {
    expect(() => read(hex(wire))).toThrowError(expect.objectContaining({ code: 'RTMP_CHUNK_HEADER' }))
  })

  it.each(['00000000', '80000000', 'ffffffff'])('refuses a chunk size of 0x%s', (size) => {
    expect(() => read(hex(`02 000000 000004 01 00000000 ${size}`))).toThrowError(
      expect.objectContaining({ code: 'RTMP_CHUNK_SIZE' }),
    )
  })

  it.each([1, 2])('refuses a message of type %i with less than four bytes', (type) => {
    expect(() => read(hex(`02 000000 000003 0${type} 00000000 000001`))).toThrowError(
      expect.objectContaining({ code: 'RTMP_CONTROL' }),
    )
  })

  it('delivers a message with its last byte, not later', () => {
    const wire = hex('04 000000 000003 08 01000000 aabbcc')
    expect(read(wire.subarray(0, -1))).toEqual([])
    expect(read(wire).length).toBe(1)
  })

  it('keeps no pushed bytes: the caller may use their memory again', () => {
    const messages: RtmpMessage[] = []
    const reader = new ChunkReader(limits, (delivered) => messages.push(delivered))
    const shared = Buffer.alloc(5)
    for (const piece of pieces(hex('04 000007 000004 08 01000000 aabbccdd'), shared.length)) {
      piece.copy(shared)
      reader.push(shared.subarray(0, piece.length))
      shared.fill(0xff)
    }
    expect(messages).toEqual([message(8, 7, 1, 'aabbccdd')])
  })

  it('delivers nothing after stop, of this push or a later one', () => {
    const wire = hex('04 000001 000001 08 01000000 aa c4 bb')
    const types: number[] = []
    const reader = new ChunkReader(limits, (delivered) => {
      types.push(delivered.timestamp)
      reader.stop()
    })
    reader.push(wire)
    reader.push(wire)
    reader.push(hex('ff'))
    expect(types).toEqual([1])
  })

  it('stops also where bytes are read a second time', () => {
    // The empty message ends only when its repeated timestamp turns out to be another chunk.
    const wire = hex('04 ffffff 000000 08 01000000 c4c40000 c4 c4c4 01')
    const delivered: number[] = []
    const reader = new ChunkReader(limits, () => {
      delivered.push(delivered.length)
      if (delivered.length === 2) reader.stop()
    })
    reader.push(wire)
    expect(delivered.length).toBe(2)
  })

  it('lets an error of the receiver out of push', () => {
    const reader = new ChunkReader(limits, () => {
      throw new Error('the session ended')
    })
    expect(() => reader.push(hex('04 000001 000001 08 01000000 aa'))).toThrowError('the session ended')
  })
})
