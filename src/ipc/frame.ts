import { WeirError } from '../base/errors.ts'
import { noteBuffer } from '../base/external-memory.ts'
import type { PacketType } from '../media/packet.ts'

/**
 * Frames between processes. All integers are big-endian.
 *
 * ```
 * frame    := length:u32  kind:u8  payload            length counts kind and payload
 * control  := a msgpack map                            kind 1
 * media    := source:u32 type:u8 flags:u8 timestamp:u32 body   kind 2
 * ```
 */
export const controlKind = 1
export const mediaKind = 2

const lengthBytes = 4
const mediaHeaderBytes = 10
/** Bytes of a media frame in front of its body. */
export const mediaOverhead = lengthBytes + 1 + mediaHeaderBytes

/** The longest frame either end accepts: a body of the largest `max_message_size` there is, and its header. */
export const maxFrameBytes = 64 * 1024 * 1024 + mediaOverhead

/** What a {@link FrameDecoder} delivers. Payloads are views that are valid during the call only. */
export interface FrameHandler {
  onControl(payload: Buffer): void
  /** @param isOwn the body lies in memory that nobody else writes to: it may be kept as it is */
  onMedia(
    source: number,
    type: PacketType,
    flags: number,
    timestamp: number,
    body: Buffer,
    isOwn: boolean,
  ): void
}

/** Writes a media frame; `target` must have room for {@link mediaOverhead} + body bytes. Returns the offset behind it. */
export function writeMediaFrame(
  target: Buffer,
  at: number,
  source: number,
  type: number,
  flags: number,
  timestamp: number,
  body: Buffer,
): number {
  const bodyAt = writeMediaHeader(target, at, source, type, flags, timestamp, body.length)
  body.copy(target, bodyAt)
  return bodyAt + body.length
}

/** Writes what stands in front of a body: {@link mediaOverhead} bytes. Returns the offset behind it. */
export function writeMediaHeader(
  target: Buffer,
  at: number,
  source: number,
  type: number,
  flags: number,
  timestamp: number,
  bodyLength: number,
): number {
  target.writeUInt32BE(1 + mediaHeaderBytes + bodyLength, at)
  target[at + 4] = mediaKind
  target.writeUInt32BE(source, at + 5)
  target[at + 9] = type
  target[at + 10] = flags
  target.writeUInt32BE(timestamp, at + 11)
  return at + mediaOverhead
}

/** Writes a control frame around an encoded message; `target` must have room for 5 bytes more than the payload. */
export function writeControlFrame(target: Buffer, at: number, payload: Buffer): number {
  target.writeUInt32BE(1 + payload.length, at)
  target[at + 4] = controlKind
  payload.copy(target, at + 5)
  return at + 5 + payload.length
}

/**
 * Splits a byte stream into frames. A frame that lies whole within the pushed bytes is delivered as a view of
 * them; one that arrives in pieces is assembled in memory of its own, allocated after its length was checked.
 */
export class FrameDecoder {
  readonly #handler: FrameHandler
  readonly #header = Buffer.alloc(lengthBytes)
  #headerBytes = 0
  #partial: Buffer | null = null
  #partialBytes = 0

  constructor(handler: FrameHandler) {
    this.#handler = handler
  }

  /**
   * Takes the next bytes of the stream; they may be reused by the caller afterwards.
   * @throws WeirError IPC_FRAME when a frame is too long, too short or of an unknown kind
   */
  push(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) {
      if (this.#partial !== null) {
        at = this.#fillPartial(this.#partial, bytes, at)
        continue
      }
      if (this.#headerBytes === 0 && bytes.length - at >= lengthBytes) {
        const length = checkedLength(bytes.readUInt32BE(at))
        const end = at + lengthBytes + length
        if (end <= bytes.length) {
          this.#deliver(bytes, at + lengthBytes, end, false)
          at = end
          continue
        }
        this.#beginPartial(length)
        at += lengthBytes
        continue
      }
      this.#header[this.#headerBytes] = bytes[at]!
      this.#headerBytes += 1
      at += 1
      if (this.#headerBytes === lengthBytes) {
        this.#headerBytes = 0
        this.#beginPartial(checkedLength(this.#header.readUInt32BE(0)))
      }
    }
  }

  #beginPartial(length: number): void {
    noteBuffer(length)
    this.#partial = Buffer.allocUnsafeSlow(length)
    this.#partialBytes = 0
  }

  #fillPartial(partial: Buffer, bytes: Buffer, at: number): number {
    const take = Math.min(partial.length - this.#partialBytes, bytes.length - at)
    bytes.copy(partial, this.#partialBytes, at, at + take)
    this.#partialBytes += take
    if (this.#partialBytes === partial.length) {
      this.#partial = null
      this.#deliver(partial, 0, partial.length, true)
    }
    return at + take
  }

  #deliver(bytes: Buffer, start: number, end: number, isOwn: boolean): void {
    const kind = bytes[start]
    if (kind === mediaKind) {
      if (end - start < 1 + mediaHeaderBytes) throw new WeirError('IPC_FRAME', 'media frame without a header')
      this.#handler.onMedia(
        bytes.readUInt32BE(start + 1),
        bytes[start + 5] as PacketType,
        bytes[start + 6]!,
        bytes.readUInt32BE(start + 7),
        bytes.subarray(start + 1 + mediaHeaderBytes, end),
        isOwn,
      )
    } else if (kind === controlKind) {
      this.#handler.onControl(bytes.subarray(start + 1, end))
    } else {
      throw new WeirError('IPC_FRAME', `frame of unknown kind ${kind}`)
    }
  }
}

function checkedLength(length: number): number {
  if (length === 0 || length > maxFrameBytes) throw new WeirError('IPC_FRAME', `frame of ${length} bytes`)
  return length
}
