import { describe, expect, it } from 'vitest'
import { type ChunkLimits, ChunkReader } from '../../src/rtmp/chunk-reader.ts'
import { encodeAbort, encodeSetChunkSize } from '../../src/rtmp/control.ts'
import { hex } from './bytes.ts'

const limits: ChunkLimits = { maxMessageSize: 1000, maxPartialBytes: 2500, maxChunkStreams: 4 }

function reader(limit: Partial<ChunkLimits> = {}): ChunkReader {
  return new ChunkReader({ ...limits, ...limit }, () => {})
}

/** A type 0 header that announces a message, without any of its body. */
function announce(chunkStreamId: number, length: number): Buffer {
  const header = hex('00 000000 000000 09 01000000')
  header[0] = chunkStreamId
  header.writeUIntBE(length, 4, 3)
  return header
}

/** The same with as much of the body as makes its first chunk of 128 bytes. */
function begin(chunkStreamId: number, length: number): Buffer {
  return Buffer.concat([announce(chunkStreamId, length), Buffer.alloc(Math.min(length, 128))])
}

function code(name: string) {
  return expect.objectContaining({ code: name })
}

describe('the limits of ChunkReader', () => {
  it('refuses a message above maxMessageSize when its header ends', () => {
    reader().push(announce(4, 1000))
    const header = announce(4, 1001)
    const refusing = reader()
    refusing.push(header.subarray(0, -1))
    expect(() => refusing.push(header.subarray(-1))).toThrowError(code('RTMP_MESSAGE_SIZE'))
  })

  it('holds control messages to the same limit', () => {
    const header = announce(2, 1001)
    header[7] = 1
    expect(() => reader().push(header)).toThrowError(code('RTMP_MESSAGE_SIZE'))
  })

  it('refuses what makes the unfinished messages larger than maxPartialBytes together', () => {
    const partial = reader()
    partial.push(begin(4, 1000))
    partial.push(begin(5, 1000))
    partial.push(begin(6, 500))
    expect(() => partial.push(announce(7, 1))).toThrowError(code('RTMP_PARTIAL_SIZE'))
  })

  it('no longer counts messages that ended or were aborted', () => {
    const partial = reader({ maxChunkStreams: 5 })
    for (let i = 0; i < 20; i++) {
      partial.push(begin(4, 1000))
      partial.push(begin(5, 1000))
      for (const left of [128, 128, 128, 128, 128, 128, 104]) {
        partial.push(Buffer.concat([hex('c4'), Buffer.alloc(left)]))
      }
      partial.push(encodeAbort(5, 128))
      partial.push(encodeAbort(5, 128))
    }
    partial.push(begin(4, 1000))
    partial.push(begin(5, 1000))
    partial.push(begin(6, 500))
    expect(() => partial.push(announce(7, 1))).toThrowError(code('RTMP_PARTIAL_SIZE'))
  })

  it('counts a message that type 3 begins like any other', () => {
    const partial = reader({ maxPartialBytes: 1450 })
    partial.push(Buffer.concat([begin(4, 100), begin(5, 1000), begin(6, 400)]))
    expect(() => partial.push(hex('c4'))).toThrowError(code('RTMP_PARTIAL_SIZE'))
  })

  it('refuses one chunk stream more than maxChunkStreams, whatever its id', () => {
    const several = reader()
    for (const id of ['02', '3f', '0000', '01ffff']) {
      several.push(hex(`${id} 000000 000000 08 01000000`))
    }
    several.push(hex('02 000000 000000 08 01000000'))
    expect(() => several.push(hex('03 000000 000000 08 01000000'))).toThrowError(code('RTMP_CHUNK_STREAMS'))
  })

  it('applies new limits to what begins after them', () => {
    const changing = reader()
    changing.push(begin(4, 1000))
    changing.setLimits({ maxMessageSize: 10, maxPartialBytes: 2500, maxChunkStreams: 2 })
    changing.push(hex(`c4 ${'00'.repeat(128)}`))
    expect(() => changing.push(announce(5, 11))).toThrowError(code('RTMP_MESSAGE_SIZE'))
    changing.setLimits({ maxMessageSize: 2000, maxPartialBytes: 3000, maxChunkStreams: 3 })
    changing.push(announce(6, 2000))
  })

  it('takes no memory for bytes that were announced and have not come', () => {
    const messageSize = 8 << 20
    const messages = 60
    const generous = reader({
      maxMessageSize: messageSize,
      maxPartialBytes: messages * messageSize,
      maxChunkStreams: 64,
    })
    generous.push(encodeSetChunkSize(1, 128))
    const before = process.memoryUsage.rss()
    for (let id = 3; id < 3 + messages; id++) {
      generous.push(Buffer.concat([announce(id, messageSize), Buffer.alloc(1)]))
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(32 << 20)
    // Keeps the reader, and the 480 MB that it has reserved, alive until here.
    expect(() => generous.push(announce(63, 1))).toThrowError(code('RTMP_PARTIAL_SIZE'))
  })
})
