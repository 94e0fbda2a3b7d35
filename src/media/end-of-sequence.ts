import { exPacketType, hasEnhancedHeader, readEnhancedHeader } from './enhanced.ts'
import { codecName, type Packet, videoType } from './packet.ts'

/** AVCPacketType 2 (FLV E.4.3.1). */
const avcEndOfSequence = 2

/** Whether a packet ends its video: a muxer ends a file with it; a stream that goes on must not have it inside. */
export function isEndOfSequence({ type, body }: Pick<Packet, 'type' | 'body'>): boolean {
  if (type !== videoType) return false
  if (hasEnhancedHeader('video', body[0] ?? 0)) {
    return readEnhancedHeader('video', body)?.packetType === exPacketType.sequenceEnd
  }
  return codecName(type, body) === 'H264' && body[1] === avcEndOfSequence
}
