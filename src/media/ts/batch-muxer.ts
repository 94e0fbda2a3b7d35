import { codeOf } from '../../base/errors.ts'
import { audioType, isKeyFrame, type Packet, sequenceHeaderFlag, videoType } from '../packet.ts'
import { UnwrappedTime } from '../timestamp-delta.ts'
import { type AudioFormat, adtsHeaderBytes, readAudioFormat } from './audio-format.ts'
import { packetBytes, type TsSink } from './layout.ts'
import { pesHeaderBytes, TsMuxer } from './muxer.ts'
import { packetsOf } from './packetizer.ts'
import { delimiterBytes, readVideoFormat, type VideoFormat } from './video-format.ts'

/** The tables and a clock reference of its own, which may stand before a frame. */
const packetsBeforeFrame = 3

/** The longest adaptation field that a frame begins with: its clock reference. */
const fieldBytes = 8

/**
 * A live transport stream for many viewers, who share its bytes: what `live/broadcast.ts` wants of a muxer. Nothing
 * waits in it from one packet to the next, and a viewer may begin at any key frame (or at the next tables, where
 * there is no video): they have everything in front. Continuity counters and the clock go on for the whole
 * stream, so that to those who join late the first packets look like ones behind a gap.
 */
export class TsBatchMuxer {
  readonly selfContained = true
  readonly #muxer = new TsMuxer(0)
  readonly #time = new UnwrappedTime()
  readonly #sink = new BufferSink()

  /** Bytes that {@link write} needs at most. */
  sizeOf(bodyLength: number, _timestamp: number): number {
    const { video } = this.#muxer.tracks
    // A unit of one byte behind a start code of four, where its length or start code was shorter.
    const growth = (video?.nalLengthBytes ?? 4) >= 3 ? 5 / 4 : 5 / 2
    const added = pesHeaderBytes + delimiterBytes + adtsHeaderBytes + (video?.parameterSets.length ?? 0)
    const pesBytes = added + Math.ceil(bodyLength * growth)
    return (packetsBeforeFrame + packetsOf(pesBytes, fieldBytes)) * packetBytes
  }

  /**
   * Writes the packet at `at`; metadata, sequence headers and codecs without a place in a transport stream write nothing.
   * @param timestamp milliseconds, 0 .. 2^32-1
   * @returns the offset behind
   */
  write(target: Buffer, at: number, packet: Packet, timestamp: number): number {
    this.#readFormat(packet)
    if (packet.flags & sequenceHeaderFlag) return at
    const sink = this.#sink.at(target, at)
    if (packet.type === videoType) {
      const timeMs = this.#time.next(timestamp)
      if (isKeyFrame(packet) && this.#muxer.tracks.video !== null) this.#muxer.writeTables(sink, timeMs)
      this.#muxer.writeVideo(sink, packet, timeMs)
    } else if (packet.type === audioType) {
      this.#muxer.writeAudio(sink, packet, this.#time.next(timestamp))
    }
    return sink.length
  }

  /** A publisher begins: what the stream carries is for its headers to say. */
  restart(): void {
    this.#muxer.tracks = { video: null, audio: null }
  }

  /** Takes from a header, or a frame that says it all, how a track is carried. */
  #readFormat(packet: Packet): void {
    const { video, audio } = this.#muxer.tracks
    const isHeader = (packet.flags & sequenceHeaderFlag) !== 0
    if (packet.type === videoType && (isHeader || (video === null && isKeyFrame(packet)))) {
      this.#muxer.tracks = { video: formatOrNull(() => readVideoFormat(packet)), audio }
    } else if (packet.type === audioType && (isHeader || audio === null)) {
      this.#muxer.tracks = { video, audio: formatOrNull(() => readAudioFormat(packet)) }
    }
  }
}

/** A format that is broken, or that a transport stream has no form for: the track is left out. */
function formatOrNull<T extends VideoFormat | AudioFormat>(read: () => T | null): T | null {
  try {
    return read()
  } catch (error) {
    if (codeOf(error) === 'MEDIA_FORMAT') return null
    throw error
  }
}

/** A buffer that is known to have room enough. */
class BufferSink implements TsSink {
  #buffer: Buffer = Buffer.alloc(0)
  length = 0

  at(buffer: Buffer, length: number): this {
    this.#buffer = buffer
    this.length = length
    return this
  }

  reserve(_size: number): Buffer {
    return this.#buffer
  }

  advance(end: number): void {
    this.length = end
  }
}
