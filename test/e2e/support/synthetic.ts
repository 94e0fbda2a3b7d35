import { randomBytes } from 'node:crypto'
import { amfEcmaArray } from '../../../src/media/amf-value.ts'
import { encodeAmf0 } from '../../../src/media/amf0-writer.ts'
import {
  audioType,
  dataType,
  keyFrameFlag,
  metadataFlag,
  type Packet,
  sequenceHeaderFlag,
  videoType,
} from '../../../src/media/packet.ts'

/** A stream whose every frame is known to the test: no decoder will make a picture of it. */
export interface StreamShape {
  /** Video frames from one key frame to the next. */
  readonly gopFrames?: number
  /** Time from one video frame to the next, in milliseconds. */
  readonly frameMs?: number
  readonly frameBytes?: number
  /** Timestamp of the first frame, in milliseconds. */
  readonly startMs?: number
  /** Timestamps are taken modulo this. */
  readonly wrapMs?: number
}

/** Metadata and sequence headers (FLV E.4.3, E.4.4): H.264 main profile, and AAC at 44.1 kHz in stereo. */
export function headers(timestamp = 0): Packet[] {
  const avcConfig = Buffer.from('014d400cffe10004674d400c01000468ee3c80', 'hex')
  return [
    {
      type: dataType,
      flags: metadataFlag,
      timestamp,
      body: encodeAmf0('onMetaData', amfEcmaArray({ width: 320, height: 180, framerate: 25 })),
    },
    {
      type: videoType,
      flags: sequenceHeaderFlag,
      timestamp,
      body: Buffer.concat([Buffer.of(0x17, 0, 0, 0, 0), avcConfig]),
    },
    { type: audioType, flags: sequenceHeaderFlag, timestamp, body: Buffer.of(0xaf, 0, 0x12, 0x10) },
  ]
}

/** Frames without end, each with a body of its own: a video frame, then an audio frame half a frame later. */
export function* frames(shape: StreamShape = {}): Generator<Packet, never, undefined> {
  const { gopFrames = 25, frameMs = 40, frameBytes = 500, startMs = 0, wrapMs = 2 ** 32 } = shape
  for (let index = 0; ; index += 1) {
    const time = startMs + index * frameMs
    const key = index % gopFrames === 0
    yield video(key, time % wrapMs, frameBytes)
    yield audio((time + frameMs / 2) % wrapMs)
  }
}

function video(key: boolean, timestamp: number, bytes: number): Packet {
  // Frame type and codec, AVCPacketType 1 (pictures), composition time 0.
  const tag = Buffer.of(key ? 0x17 : 0x27, 1, 0, 0, 0)
  const body = Buffer.concat([tag, randomBytes(bytes - tag.length)])
  return { type: videoType, flags: key ? keyFrameFlag : 0, timestamp, body }
}

function audio(timestamp: number): Packet {
  return { type: audioType, flags: 0, timestamp, body: Buffer.concat([Buffer.of(0xaf, 1), randomBytes(100)]) }
}
