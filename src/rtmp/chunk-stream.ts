/** What a receiver remembers of a chunk stream, for later chunks to refer to (RTMP 1.0, section 5.3.1.2). */
import { WeirError } from '../base/errors.ts'
import { extendedTimestampMark, messageHeaderSizes, readUint24 } from './chunk-header.ts'

/**
 * The state of one chunk stream. Times and ids are kept as signed 32-bit integers, which the engine never
 * boxes and which wrap modulo 2^32 by themselves; `>>> 0` makes them what the protocol means.
 */
export class ChunkStream {
  /** Time of the message that was begun last, in milliseconds. */
  timestamp = 0
  /** What a type 3 chunk adds to it when it begins a message, in milliseconds. */
  timestampDelta = 0
  /** Whether the last header carried an extended timestamp, so that type 3 chunks may repeat it. */
  extended = false
  /** The four bytes of that extended timestamp: a time after type 0, a delta after types 1 and 2. */
  extendedTimestamp = 0
  /** Bytes in the body of the message. */
  length = 0
  type = 0
  streamId = 0
  /** The body of the message that is being received, `null` between messages. */
  body: Buffer | null = null
  /** Bytes of the body that have come. */
  filled = 0

  /**
   * Reads the message header of a chunk of type 0, 1 or 2 that begins a message. A field which the format
   * lacks keeps its value.
   * @param at where it begins in `bytes`, behind the basic header; the whole of it is there
   */
  readHeader(format: number, bytes: Buffer, at: number): void {
    const time = this.#readTime(format, bytes, at)
    if (format <= 1) {
      this.length = readUint24(bytes, at + 3)
      this.type = bytes[at + 6]!
    }
    if (format === 0) {
      // The one little-endian field of the protocol (5.3.1.2.5).
      this.streamId = bytes.readInt32LE(at + 7)
      this.timestamp = time
    } else {
      this.timestamp = (this.timestamp + time) | 0
    }
    // After type 0 as well: a type 3 chunk that follows takes the time itself for the delta (5.3.1.2.4).
    this.timestampDelta = time
  }

  /** A type 3 chunk begins a message like the one before it. */
  repeatHeader(): void {
    this.timestamp = (this.timestamp + this.timestampDelta) | 0
  }

  /**
   * Reads the message header of a chunk of type 0, 1 or 2 in the middle of a message. Only type 3 belongs
   * there, but SRS, nginx-rtmp and ffmpeg read types 1 and 2 as well. They say nothing new about the message,
   * so that only an extended timestamp is taken from them. Type 0 or another length, which SRS refuses too,
   * means that the sender has begun something else: nobody can tell what the bytes behind it belong to.
   * @throws WeirError RTMP_CHUNK_HEADER for type 0 or another length
   */
  readInnerHeader(format: number, bytes: Buffer, at: number): void {
    if (format === 0 || (format === 1 && readUint24(bytes, at + 3) !== this.length)) {
      throw new WeirError(
        'RTMP_CHUNK_HEADER',
        `a message begins when ${this.filled} of the ${this.length} bytes before it have come`,
      )
    }
    this.#readTime(format, bytes, at)
  }

  /** The time or delta of a header, from its 24 bits or from the extended timestamp behind it. */
  #readTime(format: number, bytes: Buffer, at: number): number {
    const time = readUint24(bytes, at)
    this.extended = time === extendedTimestampMark
    if (!this.extended) return time
    this.extendedTimestamp = bytes.readInt32BE(at + messageHeaderSizes[format]!)
    return this.extendedTimestamp
  }
}
