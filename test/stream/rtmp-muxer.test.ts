import fc from 'fast-check'
import { expect, test } from 'vitest'
import { audioType, dataType, type Packet, videoType } from '../../src/media/packet.ts'
import { ChunkReader } from '../../src/rtmp/chunk-reader.ts'
import { encodeSetChunkSize } from '../../src/rtmp/control.ts'
import type { RtmpMessage } from '../../src/rtmp/message.ts'
import { RtmpMuxer } from '../../src/stream/rtmp-muxer.ts'

/** Extended timestamps begin at 0xffffff: the sizes of chunk headers change there. */
const timestamp = fc.oneof(fc.nat(2 ** 32 - 1), fc.integer({ min: 0xfffff0, max: 0x100000f }))

const packet: fc.Arbitrary<Packet> = fc.record({
  type: fc.constantFrom(audioType, videoType, dataType),
  flags: fc.nat(7),
  timestamp: fc.constant(0),
  body: fc.uint8Array({ maxLength: 700, size: 'max' }).map((bytes) => Buffer.from(bytes)),
})

test('a player reads each packet back, at the time it was given, in exactly the bytes that were announced', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(packet, timestamp), { maxLength: 6 }),
      fc.integer({ min: 128, max: 400 }),
      fc.integer({ min: 1, max: 16 }),
      (packets, chunkSize, streamId) => {
        const muxer = new RtmpMuxer(chunkSize, streamId)
        const messages: RtmpMessage[] = []
        const reader = new ChunkReader(
          { maxMessageSize: 1000, maxPartialBytes: 1000, maxChunkStreams: 8 },
          (message) => messages.push(message),
        )
        reader.push(encodeSetChunkSize(chunkSize, 128))
        for (const [one, time] of packets) {
          const size = muxer.sizeOf(one.body.length, time)
          const bytes = Buffer.alloc(size + 10, 0xee)
          expect(muxer.write(bytes, 5, one, time)).toBe(5 + size)
          expect(bytes.subarray(0, 5).equals(bytes.subarray(-5))).toBe(true)
          reader.push(bytes.subarray(5, 5 + size))
        }
        const expected = packets.map(([{ type, body }, time]) => ({ type, timestamp: time, streamId, body }))
        expect(messages).toStrictEqual(expected)
      },
    ),
  )
})
