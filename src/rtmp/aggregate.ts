/**
 * Aggregate messages (RTMP 1.0, section 7.1.6): several media messages in the body of one, each laid out
 * like a tag of an FLV file: an 11-byte header, the data, and 4 bytes that point back at the header.
 */
import { WeirError } from '../base/errors.ts'
import {
  amf0DataType,
  amf3DataType,
  audioMessageType,
  type RtmpMessage,
  videoMessageType,
} from './message.ts'

/** Type 1, length 3, time 3, upper byte of the time 1, stream id 3. */
const headerSize = 11
const backPointerSize = 4
/** Far above what servers put into one (some hundred milliseconds of a stream); it bounds the objects made. */
const maxParts = 4096

/**
 * Takes an aggregate apart. The parts get the message stream of the aggregate, and their times are shifted
 * so that the first one has the time of the aggregate; the distances between them stay. Each body is a copy,
 * so that a part which is kept (a sequence header) doesn't hold the whole aggregate in memory.
 * @param message of type 22
 * @throws WeirError RTMP_CONTROL if a part reaches beyond the end, is not audio, video or data, or if there
 *   are more than 4,096 of them
 */
export function splitAggregate(message: RtmpMessage): RtmpMessage[] {
  const { body } = message
  const parts: RtmpMessage[] = []
  let firstTime = 0
  let at = 0
  while (at < body.length) {
    if (parts.length === maxParts) {
      throw new WeirError('RTMP_CONTROL', `an aggregate has more than ${maxParts} parts`)
    }
    if (at + headerSize > body.length) throw truncated(body, at)
    const type = body.readUInt8(at)
    if (!isMedia(type)) throw new WeirError('RTMP_CONTROL', `an aggregate has a part of type ${type}`)
    const start = at + headerSize
    const end = start + body.readUIntBE(at + 1, 3)
    // The back pointer has to be there, but its value is for reading backwards: nobody here does.
    if (end + backPointerSize > body.length) throw truncated(body, at)
    const time = body.readUIntBE(at + 4, 3) + body.readUInt8(at + 7) * 2 ** 24
    if (parts.length === 0) firstTime = time
    parts.push({
      type,
      timestamp: (message.timestamp + time - firstTime) >>> 0,
      streamId: message.streamId,
      body: Buffer.from(body.subarray(start, end)),
    })
    at = end + backPointerSize
  }
  return parts
}

function isMedia(type: number): boolean {
  return (
    type === audioMessageType || type === videoMessageType || type === amf0DataType || type === amf3DataType
  )
}

function truncated(body: Buffer, at: number): WeirError {
  return new WeirError('RTMP_CONTROL', `an aggregate of ${body.length} bytes has a part cut off at ${at}`)
}
