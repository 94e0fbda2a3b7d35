/**
 * Protocol control messages (RTMP 1.0, section 5.4) and user control messages (6.2, 7.1.7).
 *
 * An encoder returns a whole message on chunk stream 2 and message stream 0, ready to be sent. Its last
 * parameter is the chunk size that is in force for what is sent, in bytes.
 */
import { WeirError } from '../base/errors.ts'
import { controlChunkStream, encodeMessage } from './chunk-writer.ts'
import {
  abortType,
  acknowledgementType,
  type RtmpMessage,
  setChunkSizeType,
  setPeerBandwidthType,
  userControlType,
  windowAckSizeType,
} from './message.ts'

/** How a Set Peer Bandwidth is meant (5.4.5). */
export const hardLimit = 0
export const softLimit = 1
export const dynamicLimit = 2

/** A decoded control message. Numbers are 0 .. 2^32-1 where nothing else is said. */
export type ControlMessage =
  /** `size`: bytes of payload in a chunk from now on, 1 .. 2^31-1. */
  | { readonly kind: 'set-chunk-size'; readonly size: number }
  /** The unfinished message of that chunk stream will not be finished. */
  | { readonly kind: 'abort'; readonly chunkStreamId: number }
  /** `sequenceNumber`: bytes that the peer received so far, modulo 2^32. */
  | { readonly kind: 'acknowledgement'; readonly sequenceNumber: number }
  /** `size`: bytes after which the peer wants an acknowledgement. */
  | { readonly kind: 'window-ack-size'; readonly size: number }
  /** `limit`: {@link hardLimit} and its siblings; another value is kept as it came. */
  | { readonly kind: 'set-peer-bandwidth'; readonly size: number; readonly limit: number }
  | { readonly kind: 'stream-begin'; readonly streamId: number }
  | { readonly kind: 'stream-eof'; readonly streamId: number }
  | { readonly kind: 'stream-dry'; readonly streamId: number }
  | { readonly kind: 'set-buffer-length'; readonly streamId: number; readonly durationMs: number }
  | { readonly kind: 'stream-is-recorded'; readonly streamId: number }
  | { readonly kind: 'ping-request'; readonly timestamp: number }
  | { readonly kind: 'ping-response'; readonly timestamp: number }
  /** An event that Weir has no name for, such as 31 and 32 of Flash Media Server. */
  | { readonly kind: 'unknown-event'; readonly event: number; readonly data: Buffer }

/** Event types of a user control message (7.1.7). */
const streamBeginEvent = 0
const streamEofEvent = 1
const streamDryEvent = 2
const setBufferLengthEvent = 3
const streamIsRecordedEvent = 4
const pingRequestEvent = 6
const pingResponseEvent = 7

/**
 * Decodes a message of type 1 to 6. Bytes beyond what the type needs are ignored.
 * @throws WeirError RTMP_CONTROL if it is too short, or no control message at all
 * @throws WeirError RTMP_CHUNK_SIZE if it sets a chunk size of 0 or above 2^31-1
 */
export function decodeControl(message: RtmpMessage): ControlMessage {
  const { type, body } = message
  switch (type) {
    case setChunkSizeType:
      return { kind: 'set-chunk-size', size: chunkSizeOf(uint32(body, 0)) }
    case abortType:
      return { kind: 'abort', chunkStreamId: uint32(body, 0) }
    case acknowledgementType:
      return { kind: 'acknowledgement', sequenceNumber: uint32(body, 0) }
    case userControlType:
      return decodeUserControl(body)
    case windowAckSizeType:
      return { kind: 'window-ack-size', size: uint32(body, 0) }
    case setPeerBandwidthType:
      need(body, 5)
      return { kind: 'set-peer-bandwidth', size: uint32(body, 0), limit: body.readUInt8(4) }
    default:
      throw new WeirError('RTMP_CONTROL', `message type ${type} is no control message`)
  }
}

function decodeUserControl(body: Buffer): ControlMessage {
  need(body, 2)
  const event = body.readUInt16BE(0)
  switch (event) {
    case streamBeginEvent:
      return { kind: 'stream-begin', streamId: uint32(body, 2) }
    case streamEofEvent:
      return { kind: 'stream-eof', streamId: uint32(body, 2) }
    case streamDryEvent:
      return { kind: 'stream-dry', streamId: uint32(body, 2) }
    case setBufferLengthEvent:
      return { kind: 'set-buffer-length', streamId: uint32(body, 2), durationMs: uint32(body, 6) }
    case streamIsRecordedEvent:
      return { kind: 'stream-is-recorded', streamId: uint32(body, 2) }
    case pingRequestEvent:
      return { kind: 'ping-request', timestamp: uint32(body, 2) }
    case pingResponseEvent:
      return { kind: 'ping-response', timestamp: uint32(body, 2) }
    default:
      return { kind: 'unknown-event', event, data: body.subarray(2) }
  }
}

/** The specification keeps the top bit at 0 (5.4.1); a size of 0 could carry nothing. */
function chunkSizeOf(size: number): number {
  if (size === 0 || size > 0x7fffffff) {
    throw new WeirError('RTMP_CHUNK_SIZE', `the peer set a chunk size of ${size} bytes`)
  }
  return size
}

function uint32(body: Buffer, at: number): number {
  need(body, at + 4)
  return body.readUInt32BE(at)
}

function need(body: Buffer, length: number): void {
  if (body.length < length) {
    throw new WeirError('RTMP_CONTROL', `a control message of ${body.length} bytes needs ${length}`)
  }
}

/** @param size bytes, 1 .. 2^31-1; counts for what is sent after this message */
export function encodeSetChunkSize(size: number, chunkSize: number): Buffer {
  return encode(setChunkSizeType, uint32Body(size), chunkSize)
}

export function encodeAbort(chunkStreamId: number, chunkSize: number): Buffer {
  return encode(abortType, uint32Body(chunkStreamId), chunkSize)
}

/** @param sequenceNumber bytes received so far; taken modulo 2^32, so that a plain counter can be passed */
export function encodeAcknowledgement(sequenceNumber: number, chunkSize: number): Buffer {
  return encode(acknowledgementType, uint32Body(sequenceNumber % 2 ** 32), chunkSize)
}

/** @param size bytes */
export function encodeWindowAckSize(size: number, chunkSize: number): Buffer {
  return encode(windowAckSizeType, uint32Body(size), chunkSize)
}

/**
 * @param size bytes
 * @param limit {@link hardLimit}, {@link softLimit} or {@link dynamicLimit}
 */
export function encodeSetPeerBandwidth(size: number, limit: number, chunkSize: number): Buffer {
  const body = Buffer.allocUnsafe(5)
  body.writeUInt32BE(size, 0)
  body.writeUInt8(limit, 4)
  return encode(setPeerBandwidthType, body, chunkSize)
}

export function encodeStreamBegin(streamId: number, chunkSize: number): Buffer {
  return encode(userControlType, eventBody(streamBeginEvent, streamId), chunkSize)
}

export function encodeStreamEof(streamId: number, chunkSize: number): Buffer {
  return encode(userControlType, eventBody(streamEofEvent, streamId), chunkSize)
}

export function encodeStreamDry(streamId: number, chunkSize: number): Buffer {
  return encode(userControlType, eventBody(streamDryEvent, streamId), chunkSize)
}

/** @param durationMs how much media the player wants to have buffered */
export function encodeSetBufferLength(streamId: number, durationMs: number, chunkSize: number): Buffer {
  const body = Buffer.allocUnsafe(10)
  body.writeUInt16BE(setBufferLengthEvent, 0)
  body.writeUInt32BE(streamId, 2)
  body.writeUInt32BE(durationMs, 6)
  return encode(userControlType, body, chunkSize)
}

export function encodeStreamIsRecorded(streamId: number, chunkSize: number): Buffer {
  return encode(userControlType, eventBody(streamIsRecordedEvent, streamId), chunkSize)
}

/** @param timestamp milliseconds of the sender's clock, 0 .. 2^32-1 */
export function encodePingRequest(timestamp: number, chunkSize: number): Buffer {
  return encode(userControlType, eventBody(pingRequestEvent, timestamp), chunkSize)
}

/** @param timestamp what the request carried */
export function encodePingResponse(timestamp: number, chunkSize: number): Buffer {
  return encode(userControlType, eventBody(pingResponseEvent, timestamp), chunkSize)
}

function eventBody(event: number, value: number): Buffer {
  const body = Buffer.allocUnsafe(6)
  body.writeUInt16BE(event, 0)
  body.writeUInt32BE(value, 2)
  return body
}

function uint32Body(value: number): Buffer {
  const body = Buffer.allocUnsafe(4)
  body.writeUInt32BE(value, 0)
  return body
}

function encode(type: number, body: Buffer, chunkSize: number): Buffer {
  const header = { chunkStreamId: controlChunkStream, type, streamId: 0, timestamp: 0 }
  return encodeMessage(header, body, chunkSize)
}
