import {
  audioType,
  dataType,
  keyFrameFlag,
  metadataFlag,
  type Packet,
  sequenceHeaderFlag,
  videoType,
} from '../../src/media/packet.ts'

/** Packets as small as can be. `mark` is in the body, so that a test sees which one came out. */
export function keyFrame(timestamp: number, mark: Mark = timestamp): Packet {
  return { type: videoType, flags: keyFrameFlag, timestamp, body: bodyOf(mark) }
}

export function interFrame(timestamp: number, mark: Mark = timestamp): Packet {
  return { type: videoType, flags: 0, timestamp, body: bodyOf(mark) }
}

export function sound(timestamp: number, mark: Mark = timestamp): Packet {
  return { type: audioType, flags: 0, timestamp, body: bodyOf(mark) }
}

export function videoHeader(mark: Mark, timestamp = 0): Packet {
  return { type: videoType, flags: sequenceHeaderFlag, timestamp, body: bodyOf(mark) }
}

export function audioHeader(mark: Mark, timestamp = 0): Packet {
  return { type: audioType, flags: sequenceHeaderFlag, timestamp, body: bodyOf(mark) }
}

export function metadata(mark: Mark, timestamp = 0): Packet {
  return { type: dataType, flags: metadataFlag, timestamp, body: bodyOf(mark) }
}

/** A cue point or the like: data that is no metadata. */
export function cuePoint(timestamp: number, mark: Mark = timestamp): Packet {
  return { type: dataType, flags: 0, timestamp, body: bodyOf(mark) }
}

/** A number or a name; or the whole body. */
export type Mark = number | string | Buffer

function bodyOf(mark: Mark): Buffer {
  return Buffer.isBuffer(mark) ? mark : Buffer.from(String(mark))
}

/** The marks of packets, in order. */
export function marks(packets: Iterable<{ readonly body: Buffer }>): string[] {
  return [...packets].map(({ body }) => body.toString())
}
