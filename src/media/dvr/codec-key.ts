import { type Packet, videoType } from '../packet.ts'

/**
 * A number that is the same for two frames of a track only if they have the same codec, for a few byte reads: what has to be
 * found out of a codec is found out once. (Of the same codec two frames may have different ones.)
 */
export function codecKey({ type, body }: Packet): number {
  const first = body[0] ?? 0
  const isVideo = type === videoType
  const isEnhanced = isVideo ? (first & 0x80) !== 0 : first >> 4 === 9
  if (!isEnhanced) return isVideo ? first & 0x0f : first >> 4
  return body.length < 5 ? -1 : body.readUInt32BE(1)
}
