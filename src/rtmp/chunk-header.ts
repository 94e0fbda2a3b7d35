/** The layout of a chunk's header (RTMP 1.0, section 5.3.1), for reading and for writing. */

/** Bytes of the message header of a chunk, by format, without the extended timestamp (5.3.1.2). */
export const messageHeaderSizes = [11, 7, 3, 0] as const

/** A 24-bit timestamp field of this value says that the time follows in 32 bits of its own (5.3.1.3). */
export const extendedTimestampMark = 0xffffff

/** Basic header 3, message header 11, extended timestamp 4. */
export const maxHeaderSize = 18

/**
 * Bytes of the header at `at`, as far as it tells them itself: the extended timestamp which a type 3 chunk
 * may repeat is not counted.
 * @returns 0 if not all of it is there before `end`
 */
export function headerSize(bytes: Buffer, at: number, end: number): number {
  const first = bytes[at]!
  const format = first >> 6
  const shortId = first & 0x3f
  const basicSize = shortId === 0 ? 2 : shortId === 1 ? 3 : 1
  const size = basicSize + messageHeaderSizes[format]!
  if (at + size > end) return 0
  if (format === 3 || readUint24(bytes, at + basicSize) !== extendedTimestampMark) return size
  return at + size + 4 > end ? 0 : size + 4
}

/** Bytes of the basic header for an id of 2 .. 65599 (5.3.1.1), in its shortest form. */
export function basicHeaderSize(chunkStreamId: number): number {
  return chunkStreamId < 64 ? 1 : chunkStreamId < 320 ? 2 : 3
}

/**
 * Writes format and chunk stream id in {@link basicHeaderSize} bytes.
 * @returns the offset behind them
 */
export function writeBasicHeader(target: Buffer, at: number, format: number, chunkStreamId: number): number {
  const high = format << 6
  if (chunkStreamId < 64) {
    target[at] = high | chunkStreamId
    return at + 1
  }
  const rest = chunkStreamId - 64
  if (rest < 256) {
    target[at] = high
    target[at + 1] = rest
    return at + 2
  }
  // Little-endian, as the formula of 5.3.1.1 has it.
  target[at] = high | 1
  target[at + 1] = rest & 0xff
  target[at + 2] = rest >> 8
  return at + 3
}

/** A big-endian number of three bytes, which must be there. */
export function readUint24(bytes: Buffer, at: number): number {
  return (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!
}

/** @returns the offset behind the number */
export function writeUint24(target: Buffer, at: number, value: number): number {
  target[at] = value >> 16
  target[at + 1] = value >> 8
  target[at + 2] = value
  return at + 3
}
