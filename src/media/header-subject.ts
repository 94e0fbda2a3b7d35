import { exPacketType, hasEnhancedHeader, readEnhancedHeader } from './enhanced.ts'
import { dataEventName } from './metadata.ts'
import { type PacketType, videoType } from './packet.ts'

/** What a header is about: a newer one of the same subject stands for an older one of the same tracks. */
export interface HeaderSubject {
  /** `sequence`, or what else the header sets: a name of its own for each value. */
  readonly subject: string
  readonly trackIds: readonly number[]
}

/**
 * Reads what a header of audio or video is about. Never throws.
 * @param body of a packet with `sequenceHeaderFlag` or `sideHeaderFlag`
 */
export function headerSubject(type: PacketType, body: Buffer): HeaderSubject {
  const kind = type === videoType ? 'video' : 'audio'
  const header = hasEnhancedHeader(kind, body[0] ?? 0) ? readEnhancedHeader(kind, body) : null
  if (header === null) return { subject: 'sequence', trackIds: [0] }
  const { packetType, trackIds, payloadAt, payloadEnd } = header
  if (kind === 'video' && packetType === exPacketType.videoMetadata) {
    return { subject: `metadata ${dataEventName(body.subarray(payloadAt, payloadEnd)) ?? ''}`, trackIds }
  }
  if (kind === 'audio' && packetType === exPacketType.audioMultichannelConfig) {
    return { subject: 'channels', trackIds }
  }
  return { subject: 'sequence', trackIds }
}
