import { WeirError } from '../base/errors.ts'
import { withoutEmulationPrevention } from './avc-sps.ts'
import { BitReader } from './bit-reader.ts'

/** HEVC sequence parameter sets. Source: ISO/IEC 23008-2 (ITU-T H.265), 7.3.2.2 and 7.3.3. */

const spsNalType = 33

/** Bits of a general profile and level; of a sub-layer's profile, and of its level (7.3.3). */
const generalBits = 96
const profileBits = 88
const levelBits = 8

const yuv420 = 1
const yuv444 = 3

/** Level 6.2 ends at pictures of 16,888 pixels a side (A.4.1). */
const maxSide = 16_888

/**
 * Reads the size of pictures, in pixels and after cropping.
 * @param unit the NAL unit, with its header
 * @throws MEDIA_FORMAT
 */
export function parseHevcSize(unit: Uint8Array): { width: number; height: number } {
  const type = ((unit[0] ?? 0) >> 1) & 0x3f
  if (type !== spsNalType) throw new WeirError('MEDIA_FORMAT', `NAL unit of type ${type} as an HEVC SPS`)
  const reader = new BitReader(withoutEmulationPrevention(unit.subarray(2)))
  reader.skip(4)
  const subLayers = reader.bits(3)
  reader.skip(1)
  skipProfile(reader, subLayers)
  reader.unsigned(15)
  const chroma = reader.unsigned(yuv444)
  const isSeparate = chroma === yuv444 && reader.flag()
  const width = reader.unsigned(maxSide)
  const height = reader.unsigned(maxSide)
  if (!reader.flag()) return { width, height }
  const unitX = isSeparate || chroma === 0 || chroma === yuv444 ? 1 : 2
  const unitY = !isSeparate && chroma === yuv420 ? 2 : 1
  const horizontal = unitX * (reader.unsigned(maxSide) + reader.unsigned(maxSide))
  const vertical = unitY * (reader.unsigned(maxSide) + reader.unsigned(maxSide))
  if (horizontal >= width || vertical >= height) {
    throw new WeirError('MEDIA_FORMAT', `HEVC picture of ${width}x${height} is cropped to nothing`)
  }
  return { width: width - horizontal, height: height - vertical }
}

function skipProfile(reader: BitReader, subLayers: number): void {
  reader.skip(generalBits)
  const present = Array.from({ length: subLayers }, () => ({ profile: reader.flag(), level: reader.flag() }))
  // Two bits for each of the sub-layers up to eight that are not there.
  if (subLayers > 0) reader.skip(2 * (8 - subLayers))
  for (const { profile, level } of present) reader.skip((profile ? profileBits : 0) + (level ? levelBits : 0))
}
