import { WeirError } from '../../base/errors.ts'
import { opcode } from './websocket.ts'

/** What a client says. */
export interface WebSocketHandler {
  onPing(payload: Buffer): void
  onPong(): void
  /** The client ends the connection. */
  onClose(): void
}

/** Longest payload of a control frame (RFC 6455, 5.5). */
const maxControlBytes = 125

/** Longest message that a viewer may send; nothing is done with it. */
const maxMessageBytes = 64 * 1024

const maskBytes = 4

/** What the next bytes are. */
type State = 'header' | 'control' | 'skip'

/**
 * Reads the frames of a client that only watches: control frames are answered, messages are passed over unread.
 * No more than one control frame is ever held.
 */
export class WebSocketReader {
  readonly #handler: WebSocketHandler
  /** The header, its extended length and its mask: 14 bytes at most. Then the payload of a control frame. */
  readonly #buffer = Buffer.alloc(maskBytes + maxControlBytes)
  #filled = 0
  #state: State = 'header'
  #code = 0
  /** Bytes of the payload that have not come. */
  #missing = 0
  /** Payload bytes of the message so far. */
  #messageBytes = 0

  constructor(handler: WebSocketHandler) {
    this.#handler = handler
  }

  /**
   * Takes the next bytes.
   * @throws WeirError HTTP_WEBSOCKET when they break the protocol
   */
  push(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      if (this.#state === 'header') at = this.#readHeader(bytes, at)
      else if (this.#state === 'control') at = this.#readControl(bytes, at)
      else at = this.#skip(bytes, at)
    }
  }

  #readHeader(bytes: Buffer, at: number): number {
    this.#buffer[this.#filled] = bytes[at]!
    this.#filled += 1
    if (this.#filled < 2) return at + 1
    const [first, second] = [this.#buffer.readUInt8(0), this.#buffer.readUInt8(1)]
    const shortLength = second & 0x7f
    const extended = shortLength === 126 ? 2 : shortLength === 127 ? 8 : 0
    if (this.#filled === 2) this.#check(first, second)
    if (this.#filled < 2 + extended + maskBytes) return at + 1
    const length =
      extended === 2
        ? this.#buffer.readUInt16BE(2)
        : extended === 8
          ? Number(this.#buffer.readBigUInt64BE(2))
          : shortLength
    this.#begin(first, length, 2 + extended)
    return at + 1
  }

  #check(first: number, second: number): void {
    if (first & 0x70) throw new WeirError('HTTP_WEBSOCKET', 'a frame has reserved bits set')
    if (!(second & 0x80)) throw new WeirError('HTTP_WEBSOCKET', 'a frame of a client is not masked')
    this.#code = first & 0x0f
    if (this.#code >= opcode.close) {
      const isWhole = (first & 0x80) !== 0 && (second & 0x7f) <= maxControlBytes
      if (!isWhole || this.#code > opcode.pong)
        throw new WeirError('HTTP_WEBSOCKET', 'a broken control frame')
    } else if (this.#code > opcode.binary) throw new WeirError('HTTP_WEBSOCKET', `opcode ${this.#code}`)
  }

  /** A frame's payload begins. */
  #begin(first: number, length: number, maskAt: number): void {
    this.#missing = length
    this.#filled = 0
    if (this.#code >= opcode.close) {
      this.#buffer.copyWithin(0, maskAt, maskAt + maskBytes)
      this.#filled = maskBytes
      this.#state = 'control'
      if (length === 0) this.#finishControl()
      return
    }
    this.#messageBytes += length
    if (this.#messageBytes > maxMessageBytes) {
      throw new WeirError('HTTP_WEBSOCKET', `a message of ${this.#messageBytes} bytes or more`)
    }
    if (first & 0x80) this.#messageBytes = 0
    this.#state = length === 0 ? 'header' : 'skip'
  }

  #readControl(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#missing)
    bytes.copy(this.#buffer, this.#filled, at, end)
    this.#filled += end - at
    this.#missing -= end - at
    if (this.#missing === 0) this.#finishControl()
    return end
  }

  #skip(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#missing)
    this.#missing -= end - at
    if (this.#missing === 0) this.#state = 'header'
    return end
  }

  #finishControl(): void {
    const payload = Buffer.from(this.#buffer.subarray(maskBytes, this.#filled))
    for (let index = 0; index < payload.length; index += 1) {
      payload[index] = payload[index]! ^ this.#buffer[index % maskBytes]!
    }
    this.#state = 'header'
    this.#filled = 0
    if (this.#code === opcode.ping) this.#handler.onPing(payload)
    else if (this.#code === opcode.pong) this.#handler.onPong()
    else this.#handler.onClose()
  }
}
