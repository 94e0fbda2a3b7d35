import { packetBytes, packetHeaderBytes, syncByte } from './layout.ts'
import { ticksPerMs } from './time-stamps.ts'

/** How much of the stream's time is in a piece of a transport stream. */
export interface TsSpan {
  /** Bytes up to the last whole packet. */
  readonly bytes: number
  readonly durationMs: number
}

const wrap = 2 ** 33

/**
 * Measures a piece of a transport stream that {@link TsMuxer} wrote, and that may be cut off: what a process left that
 * was killed.
 * @returns null if it is none, or has less than two frames of any track
 */
export function measureTs(bytes: Buffer): TsSpan | null {
  const whole = bytes.length - (bytes.length % packetBytes)
  let first: number | null = null
  let last = 0
  let frame = 0
  for (let at = 0; at < whole; at += packetBytes) {
    if (bytes[at] !== syncByte) return null
    const time = decodingTime(bytes, at)
    if (time === null) continue
    first ??= time
    const since = (((time - first) % wrap) + wrap) % wrap
    // A frame that comes behind later ones, of the other track.
    if (since >= wrap / 2 || since <= last) continue
    frame = since - last
    last = since
  }
  return last === 0 ? null : { bytes: whole, durationMs: Math.round((last + frame) / ticksPerMs) }
}

/** The decoding time of the PES packet that begins in a packet, in units of 90 kHz; null: none does. */
function decodingTime(bytes: Buffer, at: number): number | null {
  const hasStart = ((bytes[at + 1] ?? 0) & 0x40) !== 0
  const control = bytes[at + 3] ?? 0
  if (!hasStart || (control & 0x10) === 0) return null
  const fieldBytes = control & 0x20 ? 1 + (bytes[at + packetHeaderBytes] ?? 0) : 0
  const pes = at + packetHeaderBytes + fieldBytes
  if (pes + 19 > at + packetBytes || bytes.readUIntBE(pes, 3) !== 1) return null
  const flags = (bytes[pes + 7] ?? 0) >> 6
  return flags < 2 ? null : readTimeStamp(bytes, flags === 3 ? pes + 14 : pes + 9)
}

function readTimeStamp(bytes: Buffer, at: number): number {
  const high = (bytes.readUInt8(at) >> 1) & 0x07
  return high * 2 ** 30 + (bytes.readUInt16BE(at + 1) >> 1) * 2 ** 15 + (bytes.readUInt16BE(at + 3) >> 1)
}
