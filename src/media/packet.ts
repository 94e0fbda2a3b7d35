import { type EnhancedHeader, exPacketType, hasEnhancedHeader, readEnhancedHeader } from './enhanced.ts'

/**
 * A media packet: one FLV tag body with what the live path needs to know about it, read once.
 *
 * Sources: Adobe "Video File Format Specification" 10.1, annex E.4 (audio, video and data tags);
 * Veovera "Enhanced RTMP" v2 (ExVideoTagHeader, ExAudioTagHeader).
 */

/** Message and tag types that carry media (RTMP 7.1; FLV E.4.1). */
export const audioType = 8
export const videoType = 9
/** AMF0 data message / script tag: metadata and cue points. */
export const dataType = 18

export type PacketType = typeof audioType | typeof videoType | typeof dataType

/** Bits of {@link Packet.flags}. */
export const keyFrameFlag = 1
/** The packet configures the decoder of the default track. */
export const sequenceHeaderFlag = 2
/** The packet is the stream's metadata (`onMetaData`). */
export const metadataFlag = 4
/** The packet is something else that is needed before the frames: another track's sequence header, colours, channels. */
export const sideHeaderFlag = 8

/** One packet of a live stream. Its body is never changed once it is here: it is shared. */
export interface Packet {
  readonly type: PacketType
  /** {@link keyFrameFlag} and its siblings, or-ed. */
  readonly flags: number
  /** Stream time in milliseconds, 0 .. 2^32-1, decoding order. */
  readonly timestamp: number
  /** FLV tag body: for audio and video with its one-byte (or enhanced) header, for data an AMF0 sequence. */
  readonly body: Buffer
}

/** Whether a packet is needed to begin decoding (metadata, sequence header) rather than a frame. */
export function isHeader(packet: Packet): boolean {
  return (packet.flags & (sequenceHeaderFlag | metadataFlag | sideHeaderFlag)) !== 0
}

/** Whether a decoder can begin with this packet, given the headers. */
export function isKeyFrame(packet: Packet): boolean {
  return packet.type === videoType && (packet.flags & keyFrameFlag) !== 0
}

/** Video codec ids (FLV E.4.3.1, and two that encoders use though it does not list them). */
const avc = 7
const hevc = 12
const av1 = 13

/** Audio format (FLV E.4.2.1). */
const aac = 10

/** Frame types (FLV E.4.3.1). A command frame holds no picture but a byte for seeking. */
const keyFrame = 1
const commandFrame = 5

/**
 * Reads the flags of an audio or video body. Costs a few byte reads; never throws: a body that is too short
 * has no flags. Frames of a track that is not the default one have none either: where players join follows the
 * default track.
 * @returns {@link keyFrameFlag}, {@link sequenceHeaderFlag}, {@link sideHeaderFlag} or 0
 */
export function classify(type: PacketType, body: Uint8Array): number {
  if (type === videoType) return classifyVideo(body)
  if (type === audioType) return classifyAudio(body)
  return 0
}

function classifyVideo(body: Uint8Array): number {
  const first = body[0]
  if (first === undefined) return 0
  const frameType = (first >> 4) & 0x07
  if (hasEnhancedHeader('video', first)) return classifyEnhancedVideo(body, frameType)
  if (frameType === commandFrame) return 0
  const key = frameType === keyFrame ? keyFrameFlag : 0
  const codec = first & 0x0f
  if (codec !== avc && codec !== hevc && codec !== av1) return key
  // AVCPacketType (E.4.3.1): 0 sequence header, 1 pictures, 2 end of sequence, which is sent as a key frame.
  if (body[1] === 0) return sequenceHeaderFlag
  return body[1] === 1 ? key : 0
}

function classifyEnhancedVideo(body: Uint8Array, frameType: number): number {
  const header = readEnhancedHeader('video', body)
  if (header === null) return 0
  // Whatever its frame type is.
  if (header.packetType === exPacketType.videoMetadata) return sideHeaderFlag
  if (frameType === commandFrame) return 0
  switch (header.packetType) {
    case exPacketType.sequenceStart:
    case exPacketType.videoMpeg2TsSequenceStart:
      return sequenceFlagOf(header)
    case exPacketType.codedFrames:
    case exPacketType.codedFramesX:
      return frameType === keyFrame && hasDefaultTrack(header) ? keyFrameFlag : 0
    default:
      return 0
  }
}

function classifyAudio(body: Uint8Array): number {
  const first = body[0]
  if (first === undefined) return 0
  if (hasEnhancedHeader('audio', first)) return classifyEnhancedAudio(readEnhancedHeader('audio', body))
  return first >> 4 === aac && body[1] === 0 ? sequenceHeaderFlag : 0
}

function classifyEnhancedAudio(header: EnhancedHeader | null): number {
  if (header?.packetType === exPacketType.sequenceStart) return sequenceFlagOf(header)
  return header?.packetType === exPacketType.audioMultichannelConfig ? sideHeaderFlag : 0
}

function sequenceFlagOf(header: EnhancedHeader): number {
  return hasDefaultTrack(header) ? sequenceHeaderFlag : sideHeaderFlag
}

function hasDefaultTrack({ trackIds }: EnhancedHeader): boolean {
  return trackIds.includes(0)
}

/**
 * The decoder configuration in a sequence header: an AVCDecoderConfigurationRecord, an AudioSpecificConfig or
 * whatever else the codec has.
 * @returns a view of the body; null if the body is no sequence header
 */
export function decoderConfig(type: PacketType, body: Buffer): Buffer | null {
  if ((classify(type, body) & sequenceHeaderFlag) === 0) return null
  const kind = type === videoType ? 'video' : 'audio'
  const header = hasEnhancedHeader(kind, body.readUInt8(0)) ? readEnhancedHeader(kind, body) : null
  if (header) return body.subarray(header.payloadAt, header.payloadEnd)
  // AVCPacketType and the composition time, which means nothing here; AACPacketType.
  return body.subarray(kind === 'video' ? 5 : 2)
}

/**
 * A name for the codec of an audio or video body, for logs and the API: the same for both ways to announce it.
 * `null` for data and for a body that ends before it says its codec.
 */
export function codecName(type: PacketType, body: Uint8Array): string | null {
  const first = body[0]
  if (first === undefined || type === dataType) return null
  const kind = type === videoType ? 'video' : 'audio'
  if (hasEnhancedHeader(kind, first)) return fourCcName(body, readEnhancedHeader(kind, body))
  const id = kind === 'video' ? first & 0x0f : first >> 4
  const names = kind === 'video' ? videoCodecs : audioCodecs
  return names[id] ?? `${kind}-${id}`
}

function fourCcName(body: Uint8Array, header: EnhancedHeader | null): string | null {
  if (header === null) return null
  const fourCc = String.fromCharCode(...body.subarray(header.fourCcAt, header.fourCcAt + 4))
  return fourCcs[fourCc] ?? fourCc.replace(/[^ -~]/g, '?')
}

const videoCodecs: Record<number, string> = {
  2: 'H263',
  3: 'Screen',
  4: 'VP6',
  5: 'VP6A',
  6: 'Screen2',
  7: 'H264',
  12: 'HEVC',
  13: 'AV1',
}

const audioCodecs: Record<number, string> = {
  0: 'PCM',
  1: 'ADPCM',
  2: 'MP3',
  3: 'PCMLE',
  4: 'Nellymoser16',
  5: 'Nellymoser8',
  6: 'Nellymoser',
  7: 'G711A',
  8: 'G711U',
  10: 'AAC',
  11: 'Speex',
  14: 'MP3-8k',
}

const fourCcs: Record<string, string> = {
  avc1: 'H264',
  hvc1: 'HEVC',
  vvc1: 'VVC',
  av01: 'AV1',
  vp08: 'VP8',
  vp09: 'VP9',
  mp4a: 'AAC',
  Opus: 'Opus',
  '.mp3': 'MP3',
  fLaC: 'FLAC',
  'ac-3': 'AC3',
  'ec-3': 'EAC3',
}
