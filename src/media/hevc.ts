import { WeirError } from '../base/errors.ts'

/** HEVC in FLV and MP4: the decoder configuration. Source: ISO/IEC 14496-15, 8.3.3.1 (hvcC). */

/** What a muxer needs of an HEVCDecoderConfigurationRecord, the payload of an HEVC sequence header. */
export interface HevcConfig {
  /** Bytes of the length in front of each NAL unit, 1 .. 4 (3 is not allowed, but can be read). */
  readonly nalLengthBytes: number
  /** Video, sequence and picture parameter sets and SEI, as NAL units, in the order they are sent. Views. */
  readonly units: readonly Buffer[]
}

/** Bytes in front of the arrays of NAL units. */
const fixedBytes = 23

/**
 * Reads a decoder configuration.
 * @throws MEDIA_FORMAT
 */
export function parseHevcConfig(bytes: Buffer): HevcConfig {
  if (bytes.length < fixedBytes)
    throw new WeirError('MEDIA_FORMAT', `HEVC configuration of ${bytes.length} bytes`)
  const units: Buffer[] = []
  let at = fixedBytes
  for (let arrays = bytes.readUInt8(22); arrays > 0; arrays -= 1) {
    if (at + 3 > bytes.length) throw truncated(at)
    const count = bytes.readUInt16BE(at + 1)
    at += 3
    for (let index = 0; index < count; index += 1) {
      if (at + 2 > bytes.length) throw truncated(at)
      const from = at + 2
      at = from + bytes.readUInt16BE(at)
      if (at > bytes.length) throw truncated(from)
      units.push(bytes.subarray(from, at))
    }
  }
  return { nalLengthBytes: (bytes.readUInt8(21) & 0x03) + 1, units }
}

function truncated(at: number): WeirError {
  return new WeirError('MEDIA_FORMAT', `HEVC configuration ends within a parameter set, at ${at}`)
}
