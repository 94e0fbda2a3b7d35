import { WeirError } from '../../base/errors.ts'
import { type AacConfig, parseAacConfig } from '../aac.ts'
import { readCodedBody } from '../coded-body.ts'
import { audioType, type Packet } from '../packet.ts'
import { streamTypes } from './layout.ts'

/** How a stream's audio goes into a transport stream. */
export interface AudioFormat {
  readonly codec: 'AAC' | 'MP3'
  /** See {@link streamTypes}. */
  readonly streamType: number
  /** What goes in front of each frame but for its length, which is in there for an empty frame; empty for MP3. */
  readonly frameHeader: Buffer
}

/** Bytes of an ADTS header without a checksum. */
export const adtsHeaderBytes = 7

/** The longest frame that an ADTS header can announce, with the header. */
const maxAdtsFrameBytes = 0x1fff

/** Object types that ADTS has two bits for: Main, LC, SSR, LTP. */
const maxAdtsObjectType = 4

/** Where the next lower index of ADTS begins, in samples per second (ISO/IEC 14496-3, table 4.82). */
const rateBounds = [92017, 75132, 55426, 46009, 37566, 27713, 23004, 18783, 13856, 11502, 9391]

/** Bits of the version in an MPEG audio header (ISO/IEC 11172-3, 2.4.2.3). */
const mpeg1Version = 3

/**
 * Reads from an AAC sequence header, or from any MP3 frame, how the stream's audio goes into a transport stream.
 * @returns null if the packet does not say it, or the codec has no place in a transport stream that players know
 * @throws MEDIA_FORMAT
 */
export function readAudioFormat(packet: Packet): AudioFormat | null {
  const coded = readCodedBody(audioType, packet.body)
  if (coded === null) return null
  const { codec, content, start, end } = coded
  if (codec === 'AAC' && content === 'config')
    return aacFormat(parseAacConfig(packet.body.subarray(start, end)))
  if ((codec !== 'MP3' && codec !== 'MP3-8k') || content !== 'frame' || start + 2 > end) return null
  const isMpeg1 = ((packet.body.readUInt8(start + 1) >> 3) & 0x03) === mpeg1Version
  const streamType = isMpeg1 ? streamTypes.mpeg1Audio : streamTypes.mpeg2Audio
  return { codec: 'MP3', streamType, frameHeader: Buffer.alloc(0) }
}

/** @throws MEDIA_FORMAT for what ADTS cannot say */
function aacFormat(config: AacConfig): AudioFormat {
  if (config.objectType > maxAdtsObjectType) {
    throw new WeirError('MEDIA_FORMAT', `AAC object type ${config.objectType} has no ADTS form`)
  }
  const header = Buffer.alloc(adtsHeaderBytes)
  const index = config.sampleRateIndex ?? closestRateIndex(config.sampleRate)
  const channels = adtsChannels(config)
  // Sync word; MPEG-4, layer 0, no checksum (ISO/IEC 14496-3, 1.A.2.2).
  header.writeUInt16BE(0xfff1, 0)
  header[2] = ((config.objectType - 1) << 6) | (index << 2) | (channels >> 2)
  header[3] = (channels & 0x03) << 6
  // Buffer fullness 0x7ff: a variable bit rate. One block of data in the frame.
  header[5] = 0x1f
  header[6] = 0xfc
  return { codec: 'AAC', streamType: streamTypes.adtsAac, frameHeader: header }
}

function closestRateIndex(hertz: number): number {
  const index = rateBounds.findIndex((bound) => hertz >= bound)
  return index < 0 ? rateBounds.length : index
}

/** ADTS has the configurations 1 to 7. Channels that are listed one by one get the configuration of that many. */
function adtsChannels(config: AacConfig): number {
  const { channelConfiguration, channels } = config
  if (channelConfiguration >= 1 && channelConfiguration <= 7) return channelConfiguration
  if (channelConfiguration === 0 && channels <= 6) return channels
  throw new WeirError('MEDIA_FORMAT', `AAC of ${channels} channels has no ADTS form`)
}

/** @returns whether a frame of that length can be sent */
export function fitsFrame(format: AudioFormat, frameBytes: number): boolean {
  return frameBytes > 0 && (format.codec !== 'AAC' || frameBytes + adtsHeaderBytes <= maxAdtsFrameBytes)
}

/**
 * Writes what stands before a frame of that length.
 * @returns the offset behind
 */
export function writeFrameHeader(
  target: Buffer,
  at: number,
  format: AudioFormat,
  frameBytes: number,
): number {
  if (format.codec !== 'AAC') return at
  const length = frameBytes + adtsHeaderBytes
  format.frameHeader.copy(target, at)
  target[at + 3] = (target[at + 3] ?? 0) | (length >> 11)
  target[at + 4] = (length >> 3) & 0xff
  target[at + 5] = ((length & 0x07) << 5) | 0x1f
  return at + adtsHeaderBytes
}

/** Whether two formats give the same bytes, so that one can go on where the other was. */
export function isSameAudio(a: AudioFormat, b: AudioFormat): boolean {
  return a.codec === b.codec && a.streamType === b.streamType && a.frameHeader.equals(b.frameHeader)
}
