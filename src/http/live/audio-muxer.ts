import { codeOf } from '../../base/errors.ts'
import type { BatchMuxer } from '../../live/broadcast.ts'
import { readCodedBody } from '../../media/coded-body.ts'
import { audioType, type Packet } from '../../media/packet.ts'
import {
  type AudioFormat,
  adtsHeaderBytes,
  fitsFrame,
  readAudioFormat,
  writeFrameHeader,
} from '../../media/ts/audio-format.ts'

/**
 * A stream's audio alone: AAC frames with an ADTS header each, MP3 frames as they are. A player may begin at any
 * frame. Other packets, and audio of the other codec, write nothing.
 */
export class AudioMuxer implements BatchMuxer {
  readonly selfContained = true
  readonly #codec: AudioFormat['codec']
  #format: AudioFormat | null = null

  constructor(codec: AudioFormat['codec']) {
    this.#codec = codec
  }

  sizeOf(bodyLength: number): number {
    return adtsHeaderBytes + bodyLength
  }

  write(target: Buffer, at: number, packet: Packet): number {
    if (packet.type !== audioType) return at
    this.#format = readFormat(packet) ?? this.#format
    const coded = readCodedBody(audioType, packet.body)
    const format = this.#format
    if (coded?.content !== 'frame' || format?.codec !== this.#codec) return at
    const { start, end } = coded
    if (!fitsFrame(format, end - start)) return at
    const next = writeFrameHeader(target, at, format, end - start)
    return next + packet.body.copy(target, next, start, end)
  }

  restart(): void {
    this.#format = null
  }
}

/** What the packet says of the frames that follow; null: nothing, or nothing that can be sent so. */
function readFormat(packet: Packet): AudioFormat | null {
  try {
    return readAudioFormat(packet)
  } catch (error) {
    if (codeOf(error) === 'MEDIA_FORMAT') return null
    throw error
  }
}
