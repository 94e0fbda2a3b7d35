import { exPacketType, hasEnhancedHeader, readEnhancedHeader } from './enhanced.ts'
import { audioType, codecName, type PacketType, videoType } from './packet.ts'

/**
 * The payload of an audio or video body without its header, whichever of the two kinds of header that is: what a
 * muxer of another container needs.
 *
 * Sources: Adobe "Video File Format Specification" 10.1, E.4.2 and E.4.3; Veovera "Enhanced RTMP" v2.
 */
export interface CodedBody {
  /** As {@link codecName} has it: `H264`, `AAC`, `MP3`. */
  readonly codec: string
  /** A decoder configuration; pictures or sound; or nothing that is either (the end of a sequence, colour metadata). */
  readonly content: 'config' | 'frame' | 'other'
  /** Presentation minus decoding time in milliseconds, signed; 0 for audio. */
  readonly compositionMs: number
  /** The payload is the body's bytes from `start` up to `end`. */
  readonly start: number
  readonly end: number
}

/** Video codecs whose frames carry a composition time in front (E.4.3.1; ExVideoTagBody). */
const reordered = new Set(['H264', 'HEVC', 'VVC'])

/** FLV codec ids that have a packet type and a composition time (E.4.3.1, and two that encoders added). */
const avc = 7
const hevc = 12
const av1 = 13

const aac = 10

/** AVCPacketType and AACPacketType. */
const configPacket = 0
const framePacket = 1

/**
 * Reads the header of a body.
 * @returns null for data, for a body that ends before its payload and for one that lacks the default track
 */
export function readCodedBody(type: PacketType, body: Buffer): CodedBody | null {
  const codec = codecName(type, body)
  const first = body[0]
  if (codec === null || first === undefined) return null
  const kind = type === videoType ? 'video' : 'audio'
  if (hasEnhancedHeader(kind, first)) return readEnhanced(kind, codec, body)
  return type === audioType ? readAudio(codec, first >> 4, body) : readVideo(codec, first & 0x0f, body)
}

function readVideo(codec: string, id: number, body: Buffer): CodedBody | null {
  if (id !== avc && id !== hevc && id !== av1) return frame(codec, 0, 1, body.length)
  if (body.length < 5) return null
  const end = body.length
  if (body[1] === configPacket) return { codec, content: 'config', compositionMs: 0, start: 5, end }
  if (body[1] !== framePacket) return { codec, content: 'other', compositionMs: 0, start: 5, end }
  return frame(codec, body.readIntBE(2, 3), 5, end)
}

function readAudio(codec: string, format: number, body: Buffer): CodedBody | null {
  if (format !== aac) return frame(codec, 0, 1, body.length)
  if (body.length < 2) return null
  if (body[1] !== configPacket) return frame(codec, 0, 2, body.length)
  return { codec, content: 'config', compositionMs: 0, start: 2, end: body.length }
}

function readEnhanced(kind: 'audio' | 'video', codec: string, body: Buffer): CodedBody | null {
  const header = readEnhancedHeader(kind, body)
  if (header === null || !header.trackIds.includes(0)) return null
  const { packetType, payloadAt: start, payloadEnd: end } = header
  if (packetType === exPacketType.sequenceStart) {
    return { codec, content: 'config', compositionMs: 0, start, end }
  }
  if (packetType === exPacketType.codedFrames && kind === 'video' && reordered.has(codec)) {
    return start + 3 > end ? null : frame(codec, body.readIntBE(start, 3), start + 3, end)
  }
  const isFrame =
    packetType === exPacketType.codedFrames || (kind === 'video' && packetType === exPacketType.codedFramesX)
  return isFrame ? frame(codec, 0, start, end) : { codec, content: 'other', compositionMs: 0, start, end }
}

function frame(codec: string, compositionMs: number, start: number, end: number): CodedBody {
  return { codec, content: 'frame', compositionMs, start, end }
}
