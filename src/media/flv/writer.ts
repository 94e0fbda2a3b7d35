import { WeirError } from '../../base/errors.ts'
import type { PacketType } from '../packet.ts'
import {
  audioFlag,
  type FlvContent,
  fileHeaderBytes,
  maxBodyBytes,
  previousSizeBytes,
  tagHeaderBytes,
  videoFlag,
} from './tag.ts'

/** What a file begins with: its header, and the size of the tag before the first one, which is 0. */
export function flvHeader(content: FlvContent): Buffer {
  const header = Buffer.alloc(fileHeaderBytes + previousSizeBytes)
  header.write('FLV', 'latin1')
  header.writeUInt8(1, 3)
  header.writeUInt8((content.audio ? audioFlag : 0) | (content.video ? videoFlag : 0), 4)
  header.writeUInt32BE(fileHeaderBytes, 5)
  return header
}

/** Bytes of a tag with a body of that length, and of the size behind it. */
export function tagSize(bodyLength: number): number {
  return tagHeaderBytes + bodyLength + previousSizeBytes
}

/**
 * Writes a tag, and its size behind it, into `target`, which has room for {@link tagSize} bytes at `at`.
 * Allocates nothing.
 * @param timestamp milliseconds; taken modulo 2^32
 * @param source the body is its bytes from `start` up to `end`
 * @returns the offset behind what was written
 * @throws FLV_FORMAT if the body is longer than a tag can announce
 */
export function writeTag(
  target: Buffer,
  at: number,
  type: PacketType,
  timestamp: number,
  source: Buffer,
  start: number,
  end: number,
): number {
  const length = end - start
  if (length > maxBodyBytes) throw new WeirError('FLV_FORMAT', `an FLV tag of ${length} bytes`)
  target[at] = type
  target.writeUIntBE(length, at + 1, 3)
  // The lower 24 bits first, then the byte that was added for longer times (TimestampExtended).
  target.writeUIntBE(timestamp & 0xffffff, at + 4, 3)
  target[at + 7] = timestamp >>> 24
  // The stream id is always 0.
  target.writeUIntBE(0, at + 8, 3)
  source.copy(target, at + tagHeaderBytes, start, end)
  const next = at + tagHeaderBytes + length
  return target.writeUInt32BE(tagHeaderBytes + length, next)
}

/**
 * A tag, and its size behind it, in memory of its own.
 * @param timestamp milliseconds; taken modulo 2^32
 * @throws FLV_FORMAT if the body is longer than a tag can announce
 */
export function encodeTag(type: PacketType, timestamp: number, body: Buffer): Buffer {
  const tag = Buffer.allocUnsafe(tagSize(body.length))
  writeTag(tag, 0, type, timestamp, body, 0, body.length)
  return tag
}
