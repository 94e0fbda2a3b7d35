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
  /** The tracks that the message carries, 256 at most; 0 is the default one. */
  readonly trackIds: readonly number[]
  /** Offset of the payload (for coded frames of some codecs, it begins with the composition time). */
  readonly payloadAt: number
  /** Offset behind it: the end of the body, or of the first of many tracks. */
  readonly payloadEnd: number
}

/** Packet types. Those not marked as one kind's mean the same in both. */
export const exPacketType = {
  sequenceStart: 0,
  codedFrames: 1,
  sequenceEnd: 2,
  /** Video only: coded frames whose composition time is 0 and left out. */
  codedFramesX: 3,
  /** Video only: colour information and the like, as a name and a value in AMF. */
  videoMetadata: 4,
  /** Audio only: which loudspeaker each channel is for. */
  audioMultichannelConfig: 4,
  /** Video only: an AV1 sequence header as MPEG-2 TS has it. */
  videoMpeg2TsSequenceStart: 5,
  modEx: 7,
} as const

/** The packet type that puts a track header before the payload. */
const videoMultitrack = 6
const audioMultitrack = 5

/** Kinds of multitrack messages (AvMultitrackType): a single track; several of one codec; several, each with its own. */
const oneTrack = 0
const manyCodecs = 2

/** There are no more ids than this. */
const maxTracks = 256

/** What a message without a track header carries. */
const defaultTrack: readonly number[] = [0]

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
  return { packetType, fourCcAt: at, trackIds: defaultTrack, payloadAt: at + 4, payloadEnd: body.length }
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
  const kind = first >> 4
  if (kind === oneTrack) {
    return { packetType, fourCcAt, trackIds: [trackId], payloadAt: idAt + 1, payloadEnd: body.length }
  }
  const size = readSize(body, idAt + 1)
  if (size === null) return null
  const payloadAt = idAt + 4
  const payloadEnd = Math.min(body.length, payloadAt + size)
  const trackIds = readTrackIds(body, idAt, kind === manyCodecs ? 4 : 0)
  return { packetType, fourCcAt, trackIds, payloadAt, payloadEnd }
}

/** @param codecBytes what stands before the id of each track but the first */
function readTrackIds(body: Uint8Array, firstIdAt: number, codecBytes: number): number[] {
  const ids: number[] = []
  let at = firstIdAt
  while (ids.length < maxTracks) {
    const id = body[at]
    const size = readSize(body, at + 1)
    if (id === undefined || size === null) break
    ids.push(id)
    at += 4 + size + codecBytes
  }
  return ids
}

/** A size of 24 bits; null when the body ends inside of it. */
function readSize(body: Uint8Array, at: number): number | null {
  const low = body[at + 2]
  return low === undefined ? null : ((body[at] ?? 0) << 16) | ((body[at + 1] ?? 0) << 8) | low
}
