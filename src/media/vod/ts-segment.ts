import { WeirError } from '../../base/errors.ts'
import { audioType, classify, type Packet, videoType } from '../packet.ts'
import { readAudioFormat } from '../ts/audio-format.ts'
import { packetBytes, type TsSink } from '../ts/layout.ts'
import { TsMuxer, type TsTracks } from '../ts/muxer.ts'
import { readVideoFormat } from '../ts/video-format.ts'
import type { Period, Sample, TrackHeader } from './recording.ts'

/** Audio frames of so much time share a PES packet. */
const audioGroupMs = 90

/**
 * A segment of MPEG-TS that can be played alone.
 * @param samples in decoding order
 * @param sizeBytes of their frames, about: what is allocated at first
 * @returns an array whose memory is its own
 */
export function tsSegment(period: Period, samples: Iterable<Sample>, sizeBytes: number): Uint8Array {
  const sink = new GrowingSink(Math.ceil(sizeBytes * 1.05) + 64 * 1024)
  const muxer = new TsMuxer(audioGroupMs)
  muxer.tracks = tracksOf(period)
  let isFirst = true
  for (const { track, isKey, decodeMs, presentationMs, body, start, end } of samples) {
    if (isFirst) muxer.writeTables(sink, decodeMs)
    isFirst = false
    if (track === 'video') muxer.writePicture(sink, body, start, end, isKey, decodeMs, presentationMs)
    else muxer.writeSound(sink, body, start, end, decodeMs)
  }
  muxer.flush(sink)
  return sink.take()
}

/** @throws WeirError MEDIA_FORMAT */
function tracksOf({ video, audio }: Period): TsTracks {
  return {
    video: video && readVideoFormat(packetOf(videoType, video)),
    audio: audio && readAudioFormat(packetOf(audioType, audio)),
  }
}

function packetOf(type: typeof videoType | typeof audioType, { body, codec }: TrackHeader): Packet {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  if (bytes.length === 0) throw new WeirError('MEDIA_FORMAT', `an empty header of ${codec}`)
  return { type, flags: classify(type, bytes), timestamp: 0, body: bytes }
}

/** One buffer that grows. */
class GrowingSink implements TsSink {
  #buffer: Buffer
  length = 0

  constructor(bytes: number) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.ceil(bytes / packetBytes) * packetBytes)
  }

  reserve(size: number): Buffer {
    const needed = this.length + size
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.ceil(this.#buffer.length * 1.5)))
      this.#buffer.copy(grown, 0, 0, this.length)
      this.#buffer = grown
    }
    return this.#buffer
  }

  advance(end: number): void {
    this.length = end
  }

  /** What was written, in memory of just that size. */
  take(): Uint8Array {
    const { buffer } = this.#buffer as Buffer<ArrayBuffer>
    return new Uint8Array(buffer.transfer(this.length))
  }
}
