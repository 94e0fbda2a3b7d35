/**
 * Encodes messages as chunks (RTMP 1.0, section 5.3.1), without any state: a message begins with a full
 * type 0 header and goes on with type 3 headers. No header refers to an earlier message, so that the same
 * bytes can be shared by all players of a stream, whatever each of them was sent before.
 */
import {
  basicHeaderSize,
  extendedTimestampMark,
  messageHeaderSizes,
  writeBasicHeader,
  writeUint24,
} from './chunk-header.ts'

/** Chunk stream of the protocol control and user control messages; the specification fixes it (5.4). */
export const controlChunkStream = 2
export const commandChunkStream = 3
export const audioChunkStream = 4
export const dataChunkStream = 5
export const videoChunkStream = 6

/** What stands before the body of a message on the wire. */
export interface MessageHeader {
  /** 2 .. 65599 */
  readonly chunkStreamId: number
  /** Message type, see message.ts. */
  readonly type: number
  /** Message stream id, 0 .. 2^32-1. */
  readonly streamId: number
  /** Milliseconds, 0 .. 2^32-1. */
  readonly timestamp: number
}

/**
 * Bytes on the wire of one message.
 * @param bodyLength bytes, 0 .. 0xffffff
 * @param chunkSize the largest payload of a chunk, 1 or more: what was announced with Set Chunk Size
 */
export function wireSize(
  chunkStreamId: number,
  bodyLength: number,
  timestamp: number,
  chunkSize: number,
): number {
  const repeated = basicHeaderSize(chunkStreamId) + (timestamp >= extendedTimestampMark ? 4 : 0)
  const chunks = bodyLength === 0 ? 1 : Math.ceil(bodyLength / chunkSize)
  return messageHeaderSizes[0] + chunks * repeated + bodyLength
}

/**
 * Writes one message into `target` from `at` on; the body is `source[start, end)`, at most 0xffffff
 * bytes. Allocates nothing; the target must have {@link wireSize} bytes of room.
 * @returns the offset behind the message
 */
export function writeMessage(
  target: Buffer,
  at: number,
  chunkStreamId: number,
  type: number,
  streamId: number,
  timestamp: number,
  source: Buffer,
  start: number,
  end: number,
  chunkSize: number,
): number {
  const extended = timestamp >= extendedTimestampMark
  let to = writeBasicHeader(target, at, 0, chunkStreamId)
  to = writeUint24(target, to, extended ? extendedTimestampMark : timestamp)
  to = writeUint24(target, to, end - start)
  target[to++] = type
  // The one little-endian field of the protocol (5.3.1.2.5).
  to = target.writeUInt32LE(streamId, to)
  if (extended) to = target.writeUInt32BE(timestamp, to)

  let from = start
  for (;;) {
    const stop = Math.min(from + chunkSize, end)
    source.copy(target, to, from, stop)
    to += stop - from
    from = stop
    if (from === end) return to
    to = writeBasicHeader(target, to, 3, chunkStreamId)
    // Type 3 chunks repeat the extended timestamp (5.3.1.3): Flash, FMS and ffmpeg rely on it.
    if (extended) to = target.writeUInt32BE(timestamp, to)
  }
}

/** One whole message in memory of its own; for commands and control messages, where speed is no matter. */
export function encodeMessage(header: MessageHeader, body: Buffer, chunkSize: number): Buffer {
  const { chunkStreamId, type, streamId, timestamp } = header
  const wire = Buffer.allocUnsafe(wireSize(chunkStreamId, body.length, timestamp, chunkSize))
  writeMessage(wire, 0, chunkStreamId, type, streamId, timestamp, body, 0, body.length, chunkSize)
  return wire
}
