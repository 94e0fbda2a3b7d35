import { WeirError } from '../base/errors.ts'
import { BitReader } from './bit-reader.ts'

/** H.264 sequence parameter sets. Source: ISO/IEC 14496-10 (ITU-T H.264), 7.3.2.1 and annex E.1. */

/** What a sequence parameter set says about the pictures. */
export interface AvcSps {
  readonly profile: number
  readonly level: number
  /** Pixels, after cropping. */
  readonly width: number
  /** Pixels, after cropping; of a whole frame, also when it is sent as two fields. */
  readonly height: number
  /** Frames per second, if it says so. */
  readonly frameRate: number | null
}

/** Profiles whose parameter sets begin with the chroma format (7.3.2.1.1). */
const chromaProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135])

/** Bounds of 7.4.2.1.1. Sizes: level 6.2 ends at 1,055 macroblocks a side (A.3.1). */
const maxBlocksPerSide = 1055
const maxFramesInCycle = 255
const uint32 = 2 ** 32 - 2

const spsNalType = 7
const monochrome = 0
const yuv420 = 1
const yuv444 = 3

interface Chroma {
  readonly format: number
  /** Whether the three planes are coded apart, as if each were monochrome. */
  readonly separate: boolean
}

/**
 * Reads a sequence parameter set.
 * @param unit the NAL unit, with its header byte
 * @throws MEDIA_FORMAT
 */
export function parseSps(unit: Uint8Array): AvcSps {
  const type = (unit[0] ?? 0) & 0x1f
  if (type !== spsNalType) throw new WeirError('MEDIA_FORMAT', `NAL unit of type ${type} as an H.264 SPS`)
  const reader = new BitReader(withoutEmulationPrevention(unit.subarray(1)))
  const profile = reader.bits(8)
  reader.skip(8)
  const level = reader.bits(8)
  reader.unsigned(31)
  const chroma = readChroma(reader, profile)
  reader.unsigned(12)
  skipPictureOrder(reader)
  reader.unsigned(uint32)
  reader.skip(1)
  const size = readSize(reader, chroma)
  return { profile, level, ...size, frameRate: readFrameRate(reader) }
}

/** Drops the 3 of each 0 0 3, which is there so that a NAL unit never looks like a start code (7.4.1). */
export function withoutEmulationPrevention(payload: Uint8Array): Uint8Array {
  const result = new Uint8Array(payload.length)
  let length = 0
  let zeros = 0
  for (const byte of payload) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0
      continue
    }
    zeros = byte === 0 ? zeros + 1 : 0
    result[length] = byte
    length += 1
  }
  return result.subarray(0, length)
}

function readChroma(reader: BitReader, profile: number): Chroma {
  if (!chromaProfiles.has(profile)) return { format: yuv420, separate: false }
  const format = reader.unsigned(yuv444)
  const separate = format === yuv444 && reader.flag()
  // Bit depths of luma and chroma, qpprime_y_zero_transform_bypass_flag.
  reader.unsigned(6)
  reader.unsigned(6)
  reader.skip(1)
  if (reader.flag()) skipScalingMatrix(reader, format === yuv444 ? 12 : 8)
  return { format, separate }
}

function skipScalingMatrix(reader: BitReader, listCount: number): void {
  for (let index = 0; index < listCount; index += 1) {
    if (reader.flag()) skipScalingList(reader, index < 6 ? 16 : 64)
  }
}

/** A list of differences that ends early when the sum comes to 0 (7.3.2.1.1.1). */
function skipScalingList(reader: BitReader, size: number): void {
  let scale = 8
  for (let index = 0; index < size; index += 1) {
    scale = (scale + reader.signed() + 256) % 256
    if (scale === 0) return
  }
}

function skipPictureOrder(reader: BitReader): void {
  const type = reader.unsigned(2)
  if (type === 0) {
    reader.unsigned(12)
  } else if (type === 1) {
    reader.skip(1)
    reader.signed()
    reader.signed()
    const frames = reader.unsigned(maxFramesInCycle)
    for (let index = 0; index < frames; index += 1) reader.signed()
  }
}

function readSize(reader: BitReader, chroma: Chroma): { width: number; height: number } {
  const widthInBlocks = reader.unsigned(maxBlocksPerSide - 1) + 1
  const heightInUnits = reader.unsigned(maxBlocksPerSide - 1) + 1
  const framesOnly = reader.flag()
  // mb_adaptive_frame_field_flag, direct_8x8_inference_flag.
  if (!framesOnly) reader.skip(1)
  reader.skip(1)
  // Where fields are allowed, the height counts the macroblocks of one of the two.
  const fields = framesOnly ? 1 : 2
  const width = 16 * widthInBlocks
  const height = 16 * heightInUnits * fields
  if (!reader.flag()) return { width, height }
  const unit = cropUnit(chroma)
  const horizontal = unit.x * (reader.unsigned(uint32) + reader.unsigned(uint32))
  const vertical = unit.y * fields * (reader.unsigned(uint32) + reader.unsigned(uint32))
  if (horizontal >= width || vertical >= height) {
    throw new WeirError('MEDIA_FORMAT', `H.264 picture of ${width}x${height} is cropped to nothing`)
  }
  return { width: width - horizontal, height: height - vertical }
}

/** Pixels that cropping counts as one: those that share a chroma sample (7-18 to 7-22). */
function cropUnit(chroma: Chroma): { x: number; y: number } {
  if (chroma.separate || chroma.format === monochrome || chroma.format === yuv444) return { x: 1, y: 1 }
  return { x: 2, y: chroma.format === yuv420 ? 2 : 1 }
}

/** Reads as much of the usability information (E.1.1) as comes before the timing, and that. */
function readFrameRate(reader: BitReader): number | null {
  if (!reader.flag()) return null
  const extendedAspectRatio = 255
  if (reader.flag() && reader.bits(8) === extendedAspectRatio) reader.skip(32)
  // Overscan; video format and range, then colours; chroma sample location.
  if (reader.flag()) reader.skip(1)
  if (reader.flag()) {
    reader.skip(4)
    if (reader.flag()) reader.skip(24)
  }
  if (reader.flag()) {
    reader.unsigned(5)
    reader.unsigned(5)
  }
  if (!reader.flag()) return null
  const unitsInTick = reader.bits(32)
  const timeScale = reader.bits(32)
  // A tick is the time of a field (E.2.1, table E-6).
  return unitsInTick === 0 || timeScale === 0 ? null : timeScale / (2 * unitsInTick)
}
