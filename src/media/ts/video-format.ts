import { parseAvcConfig } from '../avc.ts'
import { type CodedBody, readCodedBody } from '../coded-body.ts'
import { parseHevcConfig } from '../hevc.ts'
import { NalUnits } from '../nal-units.ts'
import { type Packet, videoType } from '../packet.ts'
import { streamTypes } from './layout.ts'
import type { Pieces } from './pieces.ts'

/** How a stream's video goes into a transport stream. */
export interface VideoFormat {
  readonly codec: 'H264' | 'HEVC'
  /** See {@link streamTypes}. */
  readonly streamType: number
  /** What goes in front of each key frame, with start codes; empty when the encoder puts it there itself. */
  readonly parameterSets: Buffer
  /** Bytes of the length in front of each NAL unit. */
  readonly nalLengthBytes: number
}

const startCode = Buffer.of(0, 0, 0, 1)

/** Types of NAL units, and the access unit delimiter with its start code: any kind of slice may follow it. */
interface NalTypes {
  readonly typeOf: (header: number) => number
  readonly delimiter: Buffer
  readonly delimiterType: number
  readonly sequenceParameterSet: number
  readonly parameterSets: ReadonlySet<number>
  /** What of a configuration goes in front of key frames: HEVC has messages there that hold for the whole stream. */
  readonly ofConfig: ReadonlySet<number>
}

/** Sources: ISO/IEC 14496-10, tables 7-1 and 7-5; ISO/IEC 23008-2, tables 7-1 and 7-2. */
const nalTypes: Record<VideoFormat['codec'], NalTypes> = {
  H264: {
    typeOf: (header) => header & 0x1f,
    delimiter: Buffer.of(0, 0, 0, 1, 0x09, 0xf0),
    delimiterType: 9,
    sequenceParameterSet: 7,
    parameterSets: new Set([7, 8]),
    ofConfig: new Set([7, 8]),
  },
  HEVC: {
    typeOf: (header) => (header >> 1) & 0x3f,
    delimiter: Buffer.of(0, 0, 0, 1, 0x46, 0x01, 0x50),
    delimiterType: 35,
    sequenceParameterSet: 33,
    parameterSets: new Set([32, 33, 34]),
    ofConfig: new Set([32, 33, 34, 39]),
  },
}

/** What {@link addAccessUnit} adds at most beside the units and the parameter sets. */
export const delimiterBytes = 7

/** Lengths of NAL units where no configuration says it. */
const usualLengthBytes = 4

/** One access unit at a time is read: who uses it is done with it before the next one. */
const units = new NalUnits()

/**
 * Reads from a sequence header, or from a key frame that has its parameter sets within it, how the stream's video
 * goes into a transport stream.
 * @returns null if the packet does not say it, or the codec has no place in a transport stream that players know
 * @throws MEDIA_FORMAT
 */
export function readVideoFormat(packet: Packet): VideoFormat | null {
  const coded = readCodedBody(videoType, packet.body)
  if (coded === null || coded.content === 'other') return null
  const { codec } = coded
  if (codec !== 'H264' && codec !== 'HEVC') return null
  return coded.content === 'config'
    ? readConfig(codec, coded, packet.body)
    : readFrame(codec, coded, packet.body)
}

function readConfig(codec: VideoFormat['codec'], { start, end }: CodedBody, body: Buffer): VideoFormat {
  const { isAnnexB } = readUnits(body, start, end, usualLengthBytes)
  if (isAnnexB) {
    const found = Array.from({ length: units.count }, (_, index) =>
      body.subarray(units.starts[index], units.ends[index]),
    )
    return formatOf(codec, found, usualLengthBytes)
  }
  const record = body.subarray(start, end)
  if (codec === 'HEVC') {
    const config = parseHevcConfig(record)
    return formatOf(codec, config.units, config.nalLengthBytes)
  }
  const config = parseAvcConfig(record)
  return formatOf(codec, [...config.sps, ...config.pps], config.nalLengthBytes)
}

/** Only parameter sets behind start codes say that no configuration is to come. */
function readFrame(codec: VideoFormat['codec'], { start, end }: CodedBody, body: Buffer): VideoFormat | null {
  const { isAnnexB } = readUnits(body, start, end, usualLengthBytes)
  return isAnnexB && hasParameterSets(codec, body) ? formatOf(codec, [], usualLengthBytes) : null
}

function formatOf(codec: VideoFormat['codec'], sets: readonly Buffer[], nalLengthBytes: number): VideoFormat {
  const { typeOf, ofConfig } = nalTypes[codec]
  const wanted = sets.filter((unit) => ofConfig.has(typeOf(unit[0] ?? 0)))
  return {
    codec,
    streamType: codec === 'H264' ? streamTypes.h264 : streamTypes.hevc,
    parameterSets: Buffer.concat(wanted.flatMap((unit) => [startCode, unit])),
    nalLengthBytes,
  }
}

function readUnits(body: Buffer, start: number, end: number, lengthBytes: number): NalUnits {
  units.read(body, start, end, lengthBytes)
  return units
}

function hasParameterSets(codec: VideoFormat['codec'], body: Buffer): boolean {
  const { typeOf, sequenceParameterSet } = nalTypes[codec]
  for (let index = 0; index < units.count; index += 1) {
    if (typeOf(body[units.starts[index]!]!) === sequenceParameterSet) return true
  }
  return false
}

/**
 * Adds a frame as it is in a transport stream: an access unit delimiter, the parameter sets if it is a key frame and
 * has none, and its NAL units behind start codes. The frame is the bytes of the body from `start` up to `end`.
 * @returns false if there are no NAL units in it; nothing was added then
 */
export function addAccessUnit(
  pieces: Pieces,
  format: VideoFormat,
  body: Buffer,
  start: number,
  end: number,
  isKey: boolean,
): boolean {
  const { typeOf, delimiter, delimiterType, parameterSets } = nalTypes[format.codec]
  readUnits(body, start, end, format.nalLengthBytes)
  if (units.count === 0) return false
  pieces.add(delimiter, 0, delimiter.length)
  if (isKey && !hasParameterSets(format.codec, body)) {
    pieces.add(format.parameterSets, 0, format.parameterSets.length)
  }
  for (let index = 0; index < units.count; index += 1) {
    const from = units.starts[index]!
    const type = typeOf(body[from]!)
    if (type === delimiterType) continue
    // Parameter sets need the longer start code (14496-10, B.1.2); for the rest three bytes do.
    pieces.add(startCode, parameterSets.has(type) ? 0 : 1, startCode.length)
    pieces.add(body, from, units.ends[index]!)
  }
  return true
}

/** Whether two formats give the same bytes, so that one can go on where the other was. */
export function isSameVideo(a: VideoFormat, b: VideoFormat): boolean {
  return (
    a.codec === b.codec && a.nalLengthBytes === b.nalLengthBytes && a.parameterSets.equals(b.parameterSets)
  )
}
