import { createHash } from 'node:crypto'
import type { BatchMuxer } from '../../live/broadcast.ts'
import type { Packet } from '../../media/packet.ts'

/**
 * WebSocket (RFC 6455) as far as a server needs it that sends media: the handshake and outgoing frames. Frames of
 * a server are not masked, so that the same bytes go to every viewer.
 */

/** Opcodes (11.8). */
export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** Status codes of a close frame (7.4.1). */
export const closeCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
} as const

const finalBit = 0x80

/** Appended to the client's key before it is hashed (1.3). */
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** What answers a client's `Sec-WebSocket-Key` (4.2.2). */
export function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}${acceptSuffix}`).digest('base64')
}

/** Whether a client's key is 16 bytes in base64, as it has to be (4.1). */
export function isKey(key: string | undefined): key is string {
  return key !== undefined && /^[A-Za-z0-9+/]{22}==$/.test(key)
}

/** Bytes of the header of a frame with that payload (5.2). */
export function frameHeaderSize(payloadLength: number): number {
  return payloadLength < 126 ? 2 : payloadLength < 0x10000 ? 4 : 10
}

/** Writes the header of an unmasked, final frame at `at` and returns the offset behind it. */
export function writeFrameHeader(target: Buffer, at: number, code: number, payloadLength: number): number {
  target[at] = finalBit | code
  if (payloadLength < 126) {
    target[at + 1] = payloadLength
    return at + 2
  }
  if (payloadLength < 0x10000) {
    target[at + 1] = 126
    return target.writeUInt16BE(payloadLength, at + 2)
  }
  target[at + 1] = 127
  target.writeUInt32BE(Math.floor(payloadLength / 2 ** 32), at + 2)
  return target.writeUInt32BE(payloadLength >>> 0, at + 6)
}

/** A frame in memory of its own. */
export function encodeFrame(code: number, payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(frameHeaderSize(payload.length) + payload.length)
  payload.copy(frame, writeFrameHeader(frame, 0, code, payload.length))
  return frame
}

/** A close frame: why, in a code and a few words (at most 123 bytes). */
export function encodeClose(code: number, reason: string): Buffer {
  const text = Buffer.from(reason).subarray(0, 123)
  const payload = Buffer.allocUnsafe(2 + text.length)
  payload.writeUInt16BE(code)
  text.copy(payload, 2)
  return encodeFrame(opcode.close, payload)
}

/**
 * Puts what another muxer makes of each packet into a binary message of its own. A message per packet rather than
 * per batch costs 2 to 10 bytes each, and needs nothing of the broadcast.
 */
export class WebSocketMuxer implements BatchMuxer {
  readonly selfContained: boolean
  readonly #inner: BatchMuxer

  constructor(inner: BatchMuxer) {
    this.#inner = inner
    this.selfContained = inner.selfContained ?? false
  }

  sizeOf(bodyLength: number, timestamp: number): number {
    const size = this.#inner.sizeOf(bodyLength, timestamp)
    return frameHeaderSize(size) + size
  }

  write(target: Buffer, at: number, packet: Packet, timestamp: number): number {
    // The payload's length decides how long the header is: where it may be shorter than announced, it moves up.
    const reserved = at + frameHeaderSize(this.#inner.sizeOf(packet.body.length, timestamp))
    const end = this.#inner.write(target, reserved, packet, timestamp)
    const length = end - reserved
    if (length === 0) return at
    const start = writeFrameHeader(target, at, opcode.binary, length)
    if (start !== reserved) target.copyWithin(start, reserved, end)
    return start + length
  }

  restart(): void {
    this.#inner.restart?.()
  }
}
