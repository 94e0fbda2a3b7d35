/** Checks the chunks that a player gets (RTMP 1.0, section 5.3.1), for a tool that plays thousands of streams. */
import { WeirError } from '../../base/errors.ts'
import { headerSize, maxHeaderSize } from '../../rtmp/chunk-header.ts'
import { ChunkStream } from '../../rtmp/chunk-stream.ts'
import { decodeControl } from '../../rtmp/control.ts'
import {
  abortType,
  aggregateType,
  amf0CommandType,
  amf0DataType,
  amf3DataType,
  audioMessageType,
  type RtmpMessage,
  setChunkSizeType,
  setPeerBandwidthType,
  videoMessageType,
} from '../../rtmp/message.ts'

/** Called inside {@link ChunkChecker.push}; what a handler throws comes out there. */
export interface ChunkCheckerHandler {
  /**
   * A whole audio, video or data message has come.
   * @param bytes `bytes[start, end)` is the beginning of its body, up to `headBytes`; valid during the call only
   */
  onMedia(type: number, timestamp: number, bytes: Buffer, start: number, end: number): void
  /** Any other message but Set Chunk Size and Abort, which are obeyed. */
  onMessage(message: RtmpMessage): void
}

const initialChunkSize = 128
const repeatedTimestampSize = 4
/** Servers use fewer than ten. */
const maxChunkStreams = 64
const maxMessageSize = 8 * 1024 * 1024

/**
 * Follows the chunks of one connection as a `ChunkReader` does, but looks only at the first bytes of media and copies
 * them only if they came in pieces. With thousands of connections of 500 kbit/s that takes a quarter of the CPU
 * (0.2 us a message against 0.8): the tool must not need more than the server it measures.
 *
 * It is stricter, since it is there to find faults: type 3 chunks have to repeat an extended timestamp (5.3.1.3),
 * message types have to exist, and media has to be on one message stream.
 */
export class ChunkChecker {
  readonly #headBytes: number
  readonly #handler: ChunkCheckerHandler
  readonly #streams = new Map<number, ChunkStream>()
  #chunkSize = initialChunkSize
  /** Message stream of the first media; 0 before. */
  #mediaStreamId = 0

  /** The beginning of a header whose end has not come. */
  readonly #header = Buffer.allocUnsafe(maxHeaderSize + repeatedTimestampSize)
  #headerFilled = 0

  /** The chunk stream whose payload comes next, if {@link #payloadLeft} is above 0. */
  #stream = new ChunkStream()
  #payloadLeft = 0

  /** @param headBytes how much of the body of a media message the handler wants to see */
  constructor(headBytes: number, handler: ChunkCheckerHandler) {
    this.#headBytes = headBytes
    this.#handler = handler
  }

  /**
   * Reads on. The bytes are not kept beyond the call. After an error the place in the stream is lost.
   * @throws WeirError RTMP_CHUNK_HEADER, RTMP_CHUNK_SIZE, RTMP_CHUNK_STREAMS, RTMP_MESSAGE_SIZE, RTMP_CONTROL
   */
  push(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      at = this.#payloadLeft > 0 ? this.#readPayload(bytes, at) : this.#readHeader(bytes, at)
    }
  }

  #readHeader(bytes: Buffer, at: number): number {
    if (this.#headerFilled === 0) {
      const size = this.#sizeOfHeader(bytes, at, bytes.length)
      if (size > 0) return this.#beginChunk(bytes, at, size, bytes.length)
    }
    for (let from = at; from < bytes.length; from++) {
      this.#header[this.#headerFilled++] = bytes[from]!
      const size = this.#sizeOfHeader(this.#header, 0, this.#headerFilled)
      if (size > 0) {
        this.#headerFilled = 0
        this.#beginChunk(this.#header, 0, size, size)
        return from + 1
      }
    }
    return bytes.length
  }

  /** Bytes of the header at `at` with a repeated timestamp; 0 if not all of it is there before `end`. */
  #sizeOfHeader(bytes: Buffer, at: number, end: number): number {
    const size = headerSize(bytes, at, end)
    if (size === 0 || bytes[at]! >> 6 < 3) return size
    const repeats = this.#streams.get(chunkStreamId(bytes, at))?.extended ?? false
    if (!repeats) return size
    return at + size + repeatedTimestampSize > end ? 0 : size + repeatedTimestampSize
  }

  /**
   * Begins or continues a message with the chunk whose header is at `at`.
   * @returns the offset behind what was read: the header, and the message too if all of it is there before `end`
   */
  #beginChunk(bytes: Buffer, at: number, size: number, end: number): number {
    const format = bytes[at]! >> 6
    const id = chunkStreamId(bytes, at)
    const stream = this.#streams.get(id) ?? this.#open(id, format)
    const behindId = at + idSize(bytes, at)
    const payloadAt = at + size
    if (format === 3) checkRepeatedTimestamp(stream, bytes, behindId)
    if (stream.body !== null) {
      if (format < 3) stream.readInnerHeader(format, bytes, behindId)
    } else {
      if (format < 3) stream.readHeader(format, bytes, behindId)
      else stream.repeatHeader()
      this.#checkMessage(stream)
      const media = isMedia(stream.type)
      const payloadEnd = payloadAt + stream.length
      if (media && stream.length <= this.#chunkSize && payloadEnd <= end) {
        const headEnd = Math.min(payloadEnd, payloadAt + this.#headBytes)
        this.#handler.onMedia(stream.type, stream.timestamp >>> 0, bytes, payloadAt, headEnd)
        return payloadEnd
      }
      // Of media only the beginning is kept.
      stream.body = Buffer.allocUnsafe(media ? Math.min(stream.length, this.#headBytes) : stream.length)
      stream.filled = 0
    }
    this.#stream = stream
    this.#payloadLeft = Math.min(this.#chunkSize, stream.length - stream.filled)
    if (this.#payloadLeft === 0) this.#endMessage(stream)
    return payloadAt
  }

  #open(id: number, format: number): ChunkStream {
    // As in ChunkReader: type 1 is found at the beginning of a chunk stream, types 2 and 3 cannot be read there.
    if (format >= 2) {
      throw new WeirError('RTMP_CHUNK_HEADER', `chunk stream ${id} begins with a chunk of type ${format}`)
    }
    if (this.#streams.size >= maxChunkStreams) {
      throw new WeirError('RTMP_CHUNK_STREAMS', `chunk stream ${id} is one more than ${maxChunkStreams}`)
    }
    const stream = new ChunkStream()
    this.#streams.set(id, stream)
    return stream
  }

  #checkMessage({ type, length, streamId }: ChunkStream): void {
    if (length > maxMessageSize) {
      throw new WeirError('RTMP_MESSAGE_SIZE', `a message of ${length} bytes; the limit is ${maxMessageSize}`)
    }
    if (!isMessageType(type)) throw new WeirError('RTMP_CHUNK_HEADER', `a message of type ${type}`)
    if (!isAudioOrVideo(type) || streamId === this.#mediaStreamId) return
    if (this.#mediaStreamId !== 0) {
      throw new WeirError(
        'RTMP_CHUNK_HEADER',
        `media on message stream ${streamId >>> 0} beside ${this.#mediaStreamId >>> 0}`,
      )
    }
    this.#mediaStreamId = streamId
  }

  #readPayload(bytes: Buffer, at: number): number {
    const stream = this.#stream
    const body = stream.body!
    const count = Math.min(this.#payloadLeft, bytes.length - at)
    if (stream.filled < body.length) bytes.copy(body, stream.filled, at, at + count)
    stream.filled += count
    this.#payloadLeft -= count
    if (stream.filled === stream.length) this.#endMessage(stream)
    return at + count
  }

  #endMessage(stream: ChunkStream): void {
    const body = stream.body!
    const { type, timestamp, streamId } = stream
    stream.body = null
    if (isMedia(type)) {
      this.#handler.onMedia(type, timestamp >>> 0, body, 0, body.length)
      return
    }
    const message = { type, timestamp: timestamp >>> 0, streamId: streamId >>> 0, body }
    if (type === setChunkSizeType || type === abortType) this.#obey(message)
    else this.#handler.onMessage(message)
  }

  #obey(message: RtmpMessage): void {
    const control = decodeControl(message)
    if (control.kind === 'set-chunk-size') this.#chunkSize = control.size
    else if (control.kind === 'abort') {
      const stream = this.#streams.get(control.chunkStreamId)
      if (stream !== undefined) stream.body = null
    }
  }
}

function checkRepeatedTimestamp(stream: ChunkStream, bytes: Buffer, at: number): void {
  if (!stream.extended || bytes.readInt32BE(at) === stream.extendedTimestamp) return
  throw new WeirError('RTMP_CHUNK_HEADER', 'a chunk of type 3 does not repeat the extended timestamp')
}

/** The id in the basic header at `at`, all of which is there (5.3.1.1). */
function chunkStreamId(bytes: Buffer, at: number): number {
  const shortId = bytes[at]! & 0x3f
  if (shortId === 0) return 64 + bytes[at + 1]!
  if (shortId === 1) return 64 + bytes[at + 1]! + bytes[at + 2]! * 256
  return shortId
}

/** Bytes of that header. */
function idSize(bytes: Buffer, at: number): number {
  const shortId = bytes[at]! & 0x3f
  return shortId === 0 ? 2 : shortId === 1 ? 3 : 1
}

function isMedia(type: number): boolean {
  return isAudioOrVideo(type) || type === amf0DataType || type === amf3DataType
}

function isAudioOrVideo(type: number): boolean {
  return type === videoMessageType || type === audioMessageType
}

/** Types 7, 10 to 14 and 21 do not exist (7.1). */
function isMessageType(type: number): boolean {
  if (type >= setChunkSizeType && type <= setPeerBandwidthType) return true
  return isAudioOrVideo(type) || (type >= amf3DataType && type <= amf0CommandType) || type === aggregateType
}
