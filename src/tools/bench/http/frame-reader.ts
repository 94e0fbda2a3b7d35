/** Reads the WebSocket frames of a server (RFC 6455, 5.2), in place: payloads are not copied. */
import { WeirError } from '../../../base/errors.ts'

/** Called inside {@link FrameReader.push}; what a handler throws comes out there. */
export interface FrameHandler {
  /** A piece of a message: `bytes[start, end)`, valid during the call only. */
  onData(bytes: Buffer, start: number, end: number): void
  onPing(payload: Buffer): void
  /** The server ends the connection. */
  onClose(): void
}

const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
const maskBit = 0x80
const finalBit = 0x80
const opcodeMask = 0x0f
const lengthMask = 0x7f
const maskBytes = 4
const maxControlBytes = 125
/** With the longest length. A server's have no mask. */
const maxHeaderBytes = 10

/** Media comes in binary messages; how these are cut into frames says nothing. */
export class FrameReader {
  readonly #handler: FrameHandler
  readonly #header = Buffer.alloc(maxHeaderBytes)
  #filled = 0
  /** Bytes of the payload that have not come; null: the next bytes are a header. */
  #missing: number | null = null
  #code = 0
  /** The payload of a control frame. */
  readonly #control = Buffer.alloc(maxControlBytes)
  #controlFilled = 0

  constructor(handler: FrameHandler) {
    this.#handler = handler
  }

  /** @throws WeirError HTTP_WEBSOCKET when these are no frames of a server */
  push(bytes: Buffer, start: number, end: number): void {
    let at = start
    while (at < end)
      at = this.#missing === null ? this.#readHeader(bytes, at) : this.#readPayload(bytes, at, end)
  }

  #readHeader(bytes: Buffer, at: number): number {
    this.#header[this.#filled++] = bytes[at]!
    const length = this.#filled < 2 ? null : this.#payloadLength()
    if (length !== null) {
      this.#code = this.#header[0]! & opcodeMask
      this.#check(length)
      this.#filled = 0
      this.#controlFilled = 0
      this.#missing = length
      if (length === 0) this.#endFrame()
    }
    return at + 1
  }

  /** @returns null if not all of the header is there */
  #payloadLength(): number | null {
    const header = this.#header
    const short = header[1]! & lengthMask
    if (short < 126) return short
    if (short === 126) return this.#filled < 4 ? null : header.readUInt16BE(2)
    return this.#filled < maxHeaderBytes ? null : header.readUInt32BE(2) * 2 ** 32 + header.readUInt32BE(6)
  }

  #check(length: number): void {
    const isControl = this.#code >= opcode.close
    if (this.#header[1]! & maskBit) throw new WeirError('HTTP_WEBSOCKET', 'a frame of the server is masked')
    if (
      this.#code > opcode.pong ||
      (!isControl && this.#code > opcode.binary) ||
      this.#code === opcode.text
    ) {
      throw new WeirError('HTTP_WEBSOCKET', `a frame with opcode ${this.#code} in a stream of media`)
    }
    if (isControl && (length > maxControlBytes || !(this.#header[0]! & finalBit))) {
      throw new WeirError('HTTP_WEBSOCKET', 'a control frame that is too long or in parts')
    }
  }

  #readPayload(bytes: Buffer, at: number, end: number): number {
    const stop = Math.min(end, at + this.#missing!)
    this.#missing! -= stop - at
    if (this.#code >= opcode.close)
      this.#controlFilled += bytes.copy(this.#control, this.#controlFilled, at, stop)
    else this.#handler.onData(bytes, at, stop)
    if (this.#missing === 0) this.#endFrame()
    return stop
  }

  #endFrame(): void {
    this.#missing = null
    if (this.#code === opcode.ping) this.#handler.onPing(this.#control.subarray(0, this.#controlFilled))
    else if (this.#code === opcode.close) this.#handler.onClose()
  }
}

/** The answer to a ping. A client has to mask what it sends (5.3); a mask of zeros leaves the payload as it is. */
export function encodePong(payload: Buffer): Buffer {
  return Buffer.concat([
    Buffer.of(finalBit | opcode.pong, maskBit | payload.length),
    Buffer.alloc(maskBytes),
    payload,
  ])
}
