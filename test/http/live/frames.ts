import { createHash } from 'node:crypto'

/** A WebSocket frame as a client gets it. */
export interface Frame {
  readonly code: number
  readonly payload: Buffer
}

/** Takes a server's frames apart (RFC 6455, 5.2): whole, final and unmasked ones, with the shortest length there is. */
export function readFrames(bytes: Buffer): Frame[] {
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length; ) {
    const [first, short] = [bytes.readUInt8(at), bytes.readUInt8(at + 1)]
    if ((first & 0xf0) !== 0x80 || short > 127)
      throw new Error(`frame at ${at} begins with ${first}, ${short}`)
    const [length, begin] =
      short === 126
        ? [bytes.readUInt16BE(at + 2), at + 4]
        : short === 127
          ? [Number(bytes.readBigUInt64BE(at + 2)), at + 10]
          : [short, at + 2]
    if ((short === 126 && length < 126) || (short === 127 && length < 0x10000))
      throw new Error('a long length')
    if (begin + length > bytes.length) throw new Error(`frame at ${at} is cut off`)
    frames.push({ code: first & 0x0f, payload: bytes.subarray(begin, begin + length) })
    at = begin + length
  }
  return frames
}

/** A frame as a client sends it: masked, and final unless told otherwise. */
export function maskedFrame(code: number, payload: Buffer, final = true): Buffer {
  const mask = createHash('md5').update(payload).digest().subarray(0, 4)
  const { length } = payload
  const header = Buffer.alloc(length < 126 ? 2 : length < 0x10000 ? 4 : 10)
  header[0] = (final ? 0x80 : 0) | code
  header[1] = 0x80 | (header.length === 2 ? length : header.length === 4 ? 126 : 127)
  if (header.length === 4) header.writeUInt16BE(length, 2)
  if (header.length === 10) header.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([header, mask, payload.map((byte, index) => byte ^ mask[index % 4]!)])
}
