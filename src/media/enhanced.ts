/**
 * The header of audio and video bodies that say their codec by four characters.
 *
 * Source: Veovera "Enhanced RTMP" v2, ExVideoTagHeader and ExAudioTagHeader.
 */

/** What an enhanced header says, read past its prefixes. */
export interface EnhancedHeader {
  /** One of {@link exPacketType}. */
  readonly packetType: number
  /** Offset of the codec's four characters; in a message of many tracks, those of the first. */
  readonly fourCcAt: number
  /** Whether the message carries the default track, alone or among others: false for a lone other one. */
  readonly hasDefaultTrack: boolean
  /** Offset of the payload (for coded frames of some codecs, it begins with the composition time). */
  readonly payloadAt: number
  /** Offset behind it: the end of the body, or of the first of many tracks. */
  readonly payloadEnd: number
}

/** Packet types. Those not marked as video's mean the same in audio. */
export const exPacketType = {
  sequenceStart: 0,
  codedFrames: 1,
  sequenceEnd: 2,
  /** Video only: coded frames whose composition time is 0 and left out. */
  codedFramesX: 3,
  /** Video only: colour information and the like. */
  videoMetadata: 4,
  /** Video only: an AV1 sequence header as MPEG-2 TS has it. */
  videoMpeg2TsSequenceStart: 5,
  modEx: 7,
} as const

/** The packet type that puts a track header before the payload. */
const videoMultitrack = 6
const audioMultitrack = 5

/** The kind of multitrack message (AvMultitrackType) that carries a single track. The others carry several. */
const oneTrack = 0

/** Sound format of audio with an enhanced header. Video has a bit for it. */
const enhancedSoundFormat = 9

/** @param first the first byte of the body */
export function hasEnhancedHeader(kind: 'audio' | 'video', first: number): boolean {
  return kind === 'video' ? (first & 0x80) !== 0 : first >> 4 === enhancedSoundFormat
}

/** Reads the header of a body that is known to have an enhanced one; null if the body ends inside of it. */
export function readEnhancedHeader(kind: 'audio' | 'video', body: Uint8Array): EnhancedHeader | null {
  let packetType = (body[0] ?? 0) & 0x0f
  let at = 1
  while (packetType === exPacketType.modEx) {
    const typeAt = skipModExData(body, at)
    const next = body[typeAt]
    if (next === undefined) return null
    packetType = next & 0x0f
    at = typeAt + 1
  }
  if (packetType === (kind === 'video' ? videoMultitrack : audioMultitrack)) return readTrackHeader(body, at)
  if (at + 4 > body.length) return null
  return { packetType, fourCcAt: at, hasDefaultTrack: true, payloadAt: at + 4, payloadEnd: body.length }
}

/** Skips a prefix's size, one less than it is in a byte or, if that is 255, in the two bytes behind it, and its data. */
function skipModExData(body: Uint8Array, at: number): number {
  const size = body[at] ?? 0
  if (size < 0xff) return at + 1 + size + 1
  return at + 3 + (((body[at + 1] ?? 0) << 8) | (body[at + 2] ?? 0)) + 1
}

/**
 * Reads the kind of multitrack message and the packet type, the codec, the id of the (first) track and, if it is
 * not alone, its size. Whether tracks share the codec or each has its own, the first track's is in the same place.
 */
function readTrackHeader(body: Uint8Array, at: number): EnhancedHeader | null {
  const first = body[at] ?? 0
  const packetType = first & 0x0f
  const fourCcAt = at + 1
  const idAt = fourCcAt + 4
  const trackId = body[idAt]
  if (trackId === undefined) return null
  if (first >> 4 === oneTrack) {
    const hasDefaultTrack = trackId === 0
    return { packetType, fourCcAt, hasDefaultTrack, payloadAt: idAt + 1, payloadEnd: body.length }
  }
  const [high, middle, low] = body.subarray(idAt + 1, idAt + 4)
  if (high === undefined || middle === undefined || low === undefined) return null
  const payloadAt = idAt + 4
  const payloadEnd = Math.min(body.length, payloadAt + ((high << 16) | (middle << 8) | low))
  return { packetType, fourCcAt, hasDefaultTrack: true, payloadAt, payloadEnd }
}
