/**
 * The layout of an MPEG transport stream: packets of 188 bytes.
 *
 * Source: ISO/IEC 13818-1 (ITU-T H.222.0), 2.4.3 and 2.4.4.
 */

export const packetBytes = 188
export const packetHeaderBytes = 4
/** Bytes of a packet behind its header. */
export const payloadBytes = packetBytes - packetHeaderBytes

export const syncByte = 0x47

/** What the packets of each identifier carry. Those of the tables and tracks are Weir's choice. */
export const patPid = 0
export const pmtPid = 0x1000
export const videoPid = 0x100
export const audioPid = 0x101

/** Types of elementary streams (table 2-34). */
export const streamTypes = {
  mpeg1Audio: 0x03,
  mpeg2Audio: 0x04,
  adtsAac: 0x0f,
  h264: 0x1b,
  hevc: 0x24,
} as const

/** Identifiers of the first video and the first audio stream in PES headers (table 2-22). */
export const videoStreamId = 0xe0
export const audioStreamId = 0xc0

/** Where a muxer writes: a growing buffer, or several in a row. */
export interface TsSink {
  /** Offset in the buffer of {@link reserve} at which to go on. */
  readonly length: number
  /** A buffer with room for `size` bytes from {@link length} on, which it may change. */
  reserve(size: number): Buffer
  /** Says how far the buffer was written. */
  advance(end: number): void
}
