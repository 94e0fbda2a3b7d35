import { audioType, classify, type Packet, type PacketType, videoType } from '../../../src/media/packet.ts'
import { hex } from '../bytes.ts'

/** H.264 main profile: one sequence and one picture parameter set. */
export const avcSps = hex('674d400cffaabb')
export const avcPps = hex('68ee3c80')
export const avcConfig = Buffer.concat([
  hex('014d400cffe1'),
  hex('0007'),
  avcSps,
  hex('01'),
  hex('0004'),
  avcPps,
])

export function packetOf(type: PacketType, timestamp: number, ...parts: (Buffer | string)[]): Packet {
  const body = Buffer.concat(parts.map((part) => (typeof part === 'string' ? hex(part) : part)))
  return { type, timestamp, flags: classify(type, body), body }
}

export function avcHeader(config: Buffer = avcConfig): Packet {
  return packetOf(videoType, 0, '17 00 000000', config)
}

/** NAL units behind their lengths. */
export function withLengths(units: readonly Buffer[], lengthBytes = 4): Buffer {
  return Buffer.concat(
    units.flatMap((unit) => {
      const length = Buffer.alloc(lengthBytes)
      length.writeUIntBE(unit.length, 0, lengthBytes)
      return [length, unit]
    }),
  )
}

/** NAL units behind start codes. */
export function withStartCodes(units: readonly Buffer[]): Buffer {
  return Buffer.concat(units.flatMap((unit) => [hex('00000001'), unit]))
}

/** A slice of a picture: no start code can be in it. */
export function slice(type: number, bytes: number, mark = 0): Buffer {
  const unit = Buffer.alloc(bytes, 0x80 | mark)
  unit[0] = type
  return unit
}

export interface PictureOptions {
  readonly compositionMs?: number
  readonly units?: readonly Buffer[]
}

export function avcFrame(isKey: boolean, timestamp: number, options: PictureOptions = {}): Packet {
  const { compositionMs = 0, units = [slice(isKey ? 0x65 : 0x41, 300)] } = options
  const tag = Buffer.alloc(5)
  tag[0] = isKey ? 0x17 : 0x27
  tag[1] = 1
  tag.writeIntBE(compositionMs, 2, 3)
  return packetOf(videoType, timestamp, tag, withLengths(units))
}

/** AAC LC, 44.1 kHz, stereo. */
export function aacHeader(config = '1210'): Packet {
  return packetOf(audioType, 0, 'af00', config)
}

export function aacFrame(timestamp: number, bytes = 100, mark = 0): Packet {
  return packetOf(audioType, timestamp, 'af01', Buffer.alloc(bytes, 0x20 | mark))
}

/** An MP3 frame: MPEG-1 layer III, 128 kbit/s, 44.1 kHz, joint stereo. */
export function mp3Frame(timestamp: number, header = 'fffb9064'): Packet {
  return packetOf(audioType, timestamp, '2f', header, Buffer.alloc(413, 0x11))
}
