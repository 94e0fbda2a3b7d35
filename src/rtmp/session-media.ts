/** Media packets as RTMP messages, in both directions. */
import { WeirError } from '../base/errors.ts'
import { encodeAmf0 } from '../media/amf0-writer.ts'
import { dataEventName, isMetadata, unwrapSetDataFrame } from '../media/metadata.ts'
import { audioType, classify, dataType, metadataFlag, type Packet, videoType } from '../media/packet.ts'
import { audioChunkStream, dataChunkStream, encodeMessage, videoChunkStream } from './chunk-writer.ts'
import {
  aggregateType,
  amf0DataType,
  amf3DataType,
  audioMessageType,
  type RtmpMessage,
  videoMessageType,
} from './message.ts'

/**
 * Data messages that two neighbours tell each other and that are no part of the stream: a server's notes to its
 * player, an encoder's wish that the server forgets the metadata.
 */
const notMedia = new Set(['onStatus', '|RtmpSampleAccess', '@clearDataFrame'])

/** Largest body that a message header can announce, in bytes (RTMP 1.0, section 5.3.1.2.1: 24 bits). */
const maxBodyLength = 0xffffff

const mediaTypes: ReadonlySet<number> = new Set([
  audioMessageType,
  videoMessageType,
  amf0DataType,
  amf3DataType,
  aggregateType,
])

/** Whether the message is audio, video, data or an aggregate of them. */
export function isMedia(message: RtmpMessage): boolean {
  return mediaTypes.has(message.type)
}

/**
 * The packet of an audio, video or data message; not of an aggregate, which is to be split first.
 * `@setDataFrame` (an encoder's envelope for metadata) is taken off. The body is the message's own or a view of it.
 * @returns null when the message carries nothing for a player: an empty body, or one of {@link notMedia}
 */
export function packetOf(message: RtmpMessage): Packet | null {
  const { type, timestamp, body } = message
  switch (type) {
    case audioMessageType:
    case videoMessageType: {
      if (body.length === 0) return null
      const packetType = type === audioMessageType ? audioType : videoType
      return { type: packetType, flags: classify(packetType, body), timestamp, body }
    }
    case amf0DataType:
      return dataPacket(timestamp, body)
    case amf3DataType:
      // AMF3 data is AMF0 behind a format byte of 0; a value may then switch to AMF3 by its marker (AMF0 3.1).
      return dataPacket(timestamp, body[0] === 0 ? body.subarray(1) : body)
    default:
      return null
  }
}

function dataPacket(timestamp: number, wrapped: Buffer): Packet | null {
  const body = unwrapSetDataFrame(wrapped)
  const name = dataEventName(body)
  if (name === null || notMedia.has(name)) return null
  return { type: dataType, flags: isMetadata(name) ? metadataFlag : 0, timestamp, body }
}

const setDataFrame = encodeAmf0('@setDataFrame')

/** A metadata packet in the envelope in which publishers send it; any other packet as it is. */
export function wrapMetadata(packet: Packet): Packet {
  if (!(packet.flags & metadataFlag)) return packet
  return { ...packet, body: Buffer.concat([setDataFrame, packet.body]) }
}

/**
 * One packet as the chunks of one message.
 * @param streamId message stream
 * @param chunkSize bytes of payload in a chunk, as announced
 * @throws WeirError RTMP_MESSAGE_SIZE when the body is longer than RTMP can say
 */
export function encodePacket(packet: Packet, streamId: number, chunkSize: number): Buffer {
  if (packet.body.length > maxBodyLength) {
    throw new WeirError('RTMP_MESSAGE_SIZE', `a packet of ${packet.body.length} bytes is too long for RTMP`)
  }
  const chunkStreamId = chunkStreams[packet.type]
  const header = { chunkStreamId, type: packet.type, streamId, timestamp: packet.timestamp }
  return encodeMessage(header, packet.body, chunkSize)
}

const chunkStreams = {
  [audioType]: audioChunkStream,
  [videoType]: videoChunkStream,
  [dataType]: dataChunkStream,
} as const
