/** Assembles messages from chunks (RTMP 1.0, sections 5.3.1 and 5.4; "RTMP Errata and Addenda", 4.1 and 5). */
import { WeirError } from '../base/errors.ts'
import { noteBuffer } from '../base/external-memory.ts'
import { headerSize, maxHeaderSize } from './chunk-header.ts'
import { ChunkStream } from './chunk-stream.ts'
import { decodeControl } from './control.ts'
import { abortType, type RtmpMessage, setChunkSizeType } from './message.ts'

/** What one peer may ask for. All of it is checked before anything is reserved. */
export interface ChunkLimits {
  /** Bytes in the body of one message. */
  readonly maxMessageSize: number
  /** Announced bytes of all unfinished messages together. */
  readonly maxPartialBytes: number
  /** Chunk streams that the peer may ever use on this connection. */
  readonly maxChunkStreams: number
}

/** What the next byte is part of. */
type State = 'header' | 'repeated-timestamp' | 'payload' | 'stopped'

/** The chunk size until the peer sets another (5.4.1). */
const initialChunkSize = 128
/** Chunk streams below have ids of six bits and are found in an array, the others in a map. */
const shortIds = 64
/** Up to this many bytes a plain loop is quicker than a call of `copy`. */
const shortCopy = 32

/**
 * Reads chunks, however they are split over {@link push}, and delivers the messages that they make up, in
 * the order in which they end. Set Chunk Size and Abort are obeyed at their place and not delivered.
 *
 * Bodies are copied once, into memory of their own which is reserved when the length is announced and which
 * the system backs with pages only as bytes come. The work is linear in the bytes pushed.
 *
 * A sender may or may not repeat the extended timestamp in type 3 chunks: the specification (5.3.1.3) wants
 * it, Flash and ffmpeg do it, older librtmp and ffmpeg don't. The four bytes are compared with the one in
 * force; at the first that differs, they turn out to be payload.
 */
export class ChunkReader {
  readonly #onMessage: (message: RtmpMessage) => void
  #limits: ChunkLimits

  #state: State = 'header'
  #chunkSize = initialChunkSize
  #partialBytes = 0

  readonly #shortStreams: (ChunkStream | undefined)[] = new Array(shortIds).fill(undefined)
  readonly #longStreams = new Map<number, ChunkStream>()
  #streamCount = 0

  /** A header that came in pieces, as far as it came. */
  // Not of the shared pool: 18 bytes kept for the life of a connection would keep 8 kB of it.
  readonly #header = Buffer.allocUnsafeSlow(maxHeaderSize)
  #headerFilled = 0

  /** The chunk stream of the current chunk; meaningless in state 'header'. */
  #stream = new ChunkStream()
  /** Bytes of the current chunk's payload that have not come. */
  #payloadLeft = 0
  /** Bytes that matched the extended timestamp in force. */
  #matched = 0

  /** @param onMessage called inside {@link push}; what it throws comes out of push */
  constructor(limits: ChunkLimits, onMessage: (message: RtmpMessage) => void) {
    this.#limits = limits
    this.#onMessage = onMessage
  }

  /** New limits, for the messages and chunk streams that begin from now on. */
  setLimits(limits: ChunkLimits): void {
    this.#limits = limits
  }

  /** Ends the delivery: the rest of the current push and all later ones are ignored. */
  stop(): void {
    this.#state = 'stopped'
  }

  /**
   * Reads on. The bytes are not kept beyond the call. After an error the place in the stream is lost: the
   * connection has to be closed.
   * @throws WeirError RTMP_CHUNK_HEADER, RTMP_CHUNK_SIZE, RTMP_CHUNK_STREAMS, RTMP_MESSAGE_SIZE,
   *   RTMP_PARTIAL_SIZE, RTMP_CONTROL (a Set Chunk Size or Abort that is too short)
   */
  push(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      switch (this.#state) {
        case 'header':
          at = this.#readHeader(bytes, at)
          break
        case 'repeated-timestamp':
          at = this.#readRepeatedTimestamp(bytes, at)
          break
        case 'payload':
          at = this.#readPayload(bytes, at)
          break
        case 'stopped':
          return
      }
    }
  }

  /** Reads a header where it lies if all of it is there, else by way of the scratch memory. */
  #readHeader(bytes: Buffer, at: number): number {
    if (this.#headerFilled === 0) {
      const size = headerSize(bytes, at, bytes.length)
      if (size > 0) {
        this.#takeHeader(bytes, at)
        return at + size
      }
    }
    for (let from = at; from < bytes.length; from++) {
      this.#header[this.#headerFilled++] = bytes[from]!
      if (headerSize(this.#header, 0, this.#headerFilled) > 0) {
        this.#headerFilled = 0
        this.#takeHeader(this.#header, 0)
        return from + 1
      }
    }
    return bytes.length
  }

  /** A whole header is at `at`: begins or continues a message of its chunk stream. */
  #takeHeader(bytes: Buffer, at: number): void {
    const format = bytes[at]! >> 6
    let id = bytes[at]! & 0x3f
    let behind = at + 1
    if (id === 0) {
      id = 64 + bytes[at + 1]!
      behind = at + 2
    } else if (id === 1) {
      // Little-endian, as the formula of 5.3.1.1 has it.
      id = 64 + bytes[at + 1]! + bytes[at + 2]! * 256
      behind = at + 3
    }
    const stream = this.#find(id) ?? this.#open(id, format)
    this.#stream = stream
    if (format < 3) {
      if (stream.body === null) {
        stream.readHeader(format, bytes, behind)
        this.#beginMessage(stream)
      } else {
        stream.readInnerHeader(format, bytes, behind)
      }
      this.#beginPayload(stream)
      return
    }
    if (stream.body === null) {
      stream.repeatHeader()
      this.#beginMessage(stream)
    }
    if (stream.extended) {
      this.#matched = 0
      this.#state = 'repeated-timestamp'
    } else {
      this.#beginPayload(stream)
    }
  }

  #find(id: number): ChunkStream | undefined {
    return id < shortIds ? this.#shortStreams[id] : this.#longStreams.get(id)
  }

  /**
   * A chunk stream should begin with type 0 (5.3.1.2.1), but librtmp begins the one of its pings with type 1:
   * the stream id that this lacks is 0. Types 2 and 3 lack the length, without which nothing can be read.
   */
  #open(id: number, format: number): ChunkStream {
    if (format >= 2) {
      throw new WeirError('RTMP_CHUNK_HEADER', `chunk stream ${id} begins with a chunk of type ${format}`)
    }
    if (this.#streamCount >= this.#limits.maxChunkStreams) {
      throw new WeirError('RTMP_CHUNK_STREAMS', `chunk stream ${id} is one more than ${this.#streamCount}`)
    }
    this.#streamCount++
    const stream = new ChunkStream()
    if (id < shortIds) this.#shortStreams[id] = stream
    else this.#longStreams.set(id, stream)
    return stream
  }

  #beginMessage(stream: ChunkStream): void {
    const { length } = stream
    const { maxMessageSize, maxPartialBytes } = this.#limits
    if (length > maxMessageSize) {
      throw new WeirError('RTMP_MESSAGE_SIZE', `a message of ${length} bytes; the limit is ${maxMessageSize}`)
    }
    if (this.#partialBytes + length > maxPartialBytes) {
      throw new WeirError(
        'RTMP_PARTIAL_SIZE',
        `a message of ${length} bytes beside ${this.#partialBytes} unfinished; the limit is ${maxPartialBytes}`,
      )
    }
    this.#partialBytes += length
    noteBuffer(length)
    stream.body = Buffer.allocUnsafe(length)
    stream.filled = 0
  }

  #beginPayload(stream: ChunkStream): void {
    this.#payloadLeft = Math.min(this.#chunkSize, stream.length - stream.filled)
    if (this.#payloadLeft > 0) {
      this.#state = 'payload'
    } else {
      this.#state = 'header'
      this.#endMessage(stream)
    }
  }

  /**
   * Compares byte by byte, so that a short payload, after which the peer may fall silent, is not held up for
   * four bytes. The bytes that had matched are read again as what they are.
   */
  #readRepeatedTimestamp(bytes: Buffer, at: number): number {
    const expected = this.#stream.extendedTimestamp
    for (let from = at; from < bytes.length; from++) {
      if (bytes[from] !== ((expected >>> (24 - 8 * this.#matched)) & 0xff)) {
        const matched = Buffer.allocUnsafe(4)
        matched.writeInt32BE(expected)
        const count = this.#matched
        this.#beginPayload(this.#stream)
        this.push(matched.subarray(0, count))
        return from
      }
      this.#matched++
      if (this.#matched === 4) {
        this.#beginPayload(this.#stream)
        return from + 1
      }
    }
    return bytes.length
  }

  #readPayload(bytes: Buffer, at: number): number {
    const stream = this.#stream
    const body = stream.body!
    const count = Math.min(this.#payloadLeft, bytes.length - at)
    const end = at + count
    if (count <= shortCopy) {
      let to = stream.filled
      for (let from = at; from < end; from++) body[to++] = bytes[from]!
    } else {
      bytes.copy(body, stream.filled, at, end)
    }
    stream.filled += count
    this.#payloadLeft -= count
    if (this.#payloadLeft === 0) {
      this.#state = 'header'
      if (stream.filled === stream.length) this.#endMessage(stream)
    }
    return end
  }

  #endMessage(stream: ChunkStream): void {
    const body = stream.body!
    stream.body = null
    this.#partialBytes -= stream.length
    const message: RtmpMessage = {
      type: stream.type,
      timestamp: stream.timestamp >>> 0,
      streamId: stream.streamId >>> 0,
      body,
    }
    if (message.type === setChunkSizeType || message.type === abortType) this.#obey(message)
    else this.#onMessage(message)
  }

  #obey(message: RtmpMessage): void {
    const control = decodeControl(message)
    if (control.kind === 'set-chunk-size') this.#chunkSize = control.size
    else if (control.kind === 'abort') this.#abort(control.chunkStreamId)
  }

  /** Drops what has come of a message. Its time stays: later deltas count from it ("Errata and Addenda", 5). */
  #abort(id: number): void {
    const stream = this.#find(id)
    if (stream === undefined || stream.body === null) return
    stream.body = null
    this.#partialBytes -= stream.length
  }
}
