import { WeirError } from '../base/errors.ts'

/** H.264 in FLV and MP4: the decoder configuration. Source: ISO/IEC 14496-15, 5.3.3.1 (avcC). */

/** An AVCDecoderConfigurationRecord, the payload of an H.264 sequence header. */
export interface AvcConfig {
  /** profile_idc. */
  readonly profile: number
  /** The byte of constraint flags between profile and level, constraint_set0_flag in its top bit. */
  readonly constraints: number
  /** level_idc: ten times the level. */
  readonly level: number
  /** Bytes of the length in front of each NAL unit, 1 .. 4 (3 is not allowed, but can be read). */
  readonly nalLengthBytes: number
  /** Sequence parameter sets, as NAL units. Views of the bytes that were read, like the others. */
  readonly sps: readonly Buffer[]
  /** Picture parameter sets, as NAL units. */
  readonly pps: readonly Buffer[]
}

/**
 * Reads a decoder configuration. What follows the parameter sets (High profile's chroma format and bit depth) is
 * not read: many encoders leave it out, and the sequence parameter set says the same.
 * @throws MEDIA_FORMAT
 */
export function parseAvcConfig(bytes: Buffer): AvcConfig {
  if (bytes.length < 7) throw new WeirError('MEDIA_FORMAT', `H.264 configuration of ${bytes.length} bytes`)
  if (bytes[0] !== 1) throw new WeirError('MEDIA_FORMAT', `H.264 configuration of version ${bytes[0]}`)
  const sps = readParameterSets(bytes, 6, bytes.readUInt8(5) & 0x1f)
  if (sps.end >= bytes.length) throw truncated(sps.end)
  const pps = readParameterSets(bytes, sps.end + 1, bytes.readUInt8(sps.end))
  return {
    profile: bytes.readUInt8(1),
    constraints: bytes.readUInt8(2),
    level: bytes.readUInt8(3),
    nalLengthBytes: (bytes.readUInt8(4) & 0x03) + 1,
    sps: sps.units,
    pps: pps.units,
  }
}

function readParameterSets(bytes: Buffer, start: number, count: number): { units: Buffer[]; end: number } {
  const units: Buffer[] = []
  let at = start
  while (units.length < count) {
    if (at + 2 > bytes.length) throw truncated(at)
    const from = at + 2
    at = from + bytes.readUInt16BE(at)
    if (at > bytes.length) throw truncated(from)
    units.push(bytes.subarray(from, at))
  }
  return { units, end: at }
}

function truncated(at: number): WeirError {
  return new WeirError('MEDIA_FORMAT', `H.264 configuration ends within a parameter set, at ${at}`)
}

/**
 * The name of an H.264 profile (ISO/IEC 14496-10, annex A.2), e.g. `High`; its number if it has no name here.
 * @param constraints see {@link AvcConfig.constraints}
 */
export function avcProfileName(profile: number, constraints: number): string {
  if (profile === 66 && constraints & 0x40) return 'Constrained Baseline'
  return profileNames.get(profile) ?? String(profile)
}

const profileNames = new Map([
  [44, 'CAVLC 4:4:4 Intra'],
  [66, 'Baseline'],
  [77, 'Main'],
  [88, 'Extended'],
  [100, 'High'],
  [110, 'High 10'],
  [118, 'Multiview High'],
  [122, 'High 4:2:2'],
  [128, 'Stereo High'],
  [244, 'High 4:4:4 Predictive'],
])

/**
 * The name of an H.264 level (annex A.3), e.g. `3.1`. Level 1b is 9, or 11 with constraint_set3_flag in the
 * profiles where that flag means nothing else.
 */
export function avcLevelName(profile: number, constraints: number, level: number): string {
  const flagged = level === 11 && (constraints & 0x10) !== 0
  if (level === 9 || (flagged && (profile === 66 || profile === 77 || profile === 88))) return '1b'
  return String(level / 10)
}
