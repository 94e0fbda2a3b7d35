import { encodeAbort, encodeSetChunkSize } from '../../src/rtmp/control.ts'
import type { RtmpMessage } from '../../src/rtmp/message.ts'

/** What a peer remembers of a chunk stream on which it sends. */
interface Sent {
  timestamp: number
  delta: number
  length: number
  type: number
  streamId: number
  /** The four bytes of the extended timestamp in force, or `null`. */
  extended: Buffer | null
}

/** A message that is being sent. */
interface Sending {
  message: RtmpMessage
  sent: number
}

/**
 * A peer that uses all there is: the four formats, interleaved chunk streams, and extended timestamps which
 * it repeats or not. It shares no code with the writer of the server, which uses none of this.
 */
export class ChunkEncoder {
  readonly #repeats: boolean
  readonly #sent = new Map<number, Sent>()
  readonly #sending = new Map<number, Sending>()
  readonly #wire: Buffer[] = []
  #size = 0
  #chunkSize = 128
  /** Where type 3 chunks have left an extended timestamp out, and which. */
  readonly #omitted: { at: number; extended: Buffer }[] = []

  constructor(options: { repeatsExtendedTimestamp: boolean }) {
    this.#repeats = options.repeatsExtendedTimestamp
  }

  get wire(): Buffer {
    return Buffer.concat(this.#wire)
  }

  /** Whether payload somewhere looks like an extended timestamp that was left out: nobody can tell then. */
  get ambiguous(): boolean {
    const { wire } = this
    return this.#omitted.some(({ at, extended }) => wire.subarray(at, at + 4).equals(extended))
  }

  isSending(chunkStreamId: number): boolean {
    return this.#sending.has(chunkStreamId)
  }

  setChunkSize(size: number): void {
    this.#write(encodeSetChunkSize(size, this.#chunkSize))
    this.#chunkSize = size
  }

  abort(chunkStreamId: number): void {
    this.#write(encodeAbort(chunkStreamId, this.#chunkSize))
    this.#sending.delete(chunkStreamId)
  }

  /**
   * Sends the first chunk of a message.
   * @param format the highest one to use; a lower one is taken where the message needs it
   * @returns whether the message has ended
   */
  begin(chunkStreamId: number, message: RtmpMessage, format: number): boolean {
    const before = this.#sent.get(chunkStreamId)
    const delta = (message.timestamp - (before?.timestamp ?? 0)) >>> 0
    const chosen = Math.min(format, highestFormat(before, message, delta))
    const time = chosen === 0 ? message.timestamp : delta
    const after: Sent = {
      timestamp: message.timestamp,
      delta: chosen === 3 ? delta : time,
      length: message.body.length,
      type: message.type,
      streamId: message.streamId,
      extended: chosen === 3 ? before!.extended : time >= 0xffffff ? uint32(time) : null,
    }
    this.#sent.set(chunkStreamId, after)
    this.#sending.set(chunkStreamId, { message, sent: 0 })
    this.#write(basicHeader(chosen, chunkStreamId))
    if (chosen < 3) this.#write(uint24(Math.min(time, 0xffffff)))
    if (chosen < 2) this.#write(Buffer.concat([uint24(after.length), Buffer.of(after.type)]))
    if (chosen === 0) this.#write(uint32(message.streamId).reverse())
    this.#writeExtended(after.extended, chosen)
    return this.#writePayload(chunkStreamId)
  }

  /**
   * Sends the next chunk of a message that was begun.
   * @returns whether the message has ended
   */
  proceed(chunkStreamId: number): boolean {
    this.#write(basicHeader(3, chunkStreamId))
    this.#writeExtended(this.#sent.get(chunkStreamId)!.extended, 3)
    return this.#writePayload(chunkStreamId)
  }

  #writeExtended(extended: Buffer | null, format: number): void {
    if (extended === null) return
    if (format < 3 || this.#repeats) this.#write(extended)
    else this.#omitted.push({ at: this.#size, extended })
  }

  #writePayload(chunkStreamId: number): boolean {
    const sending = this.#sending.get(chunkStreamId)!
    const { body } = sending.message
    const end = Math.min(sending.sent + this.#chunkSize, body.length)
    this.#write(body.subarray(sending.sent, end))
    sending.sent = end
    if (end < body.length) return false
    this.#sending.delete(chunkStreamId)
    return true
  }

  #write(bytes: Buffer): void {
    this.#wire.push(bytes)
    this.#size += bytes.length
  }
}

/** The format that leaves most out: each needs what the one before needs, and more. */
function highestFormat(before: Sent | undefined, message: RtmpMessage, delta: number): number {
  if (before === undefined) return message.streamId === 0 ? 1 : 0
  if (message.streamId !== before.streamId) return 0
  if (message.body.length !== before.length || message.type !== before.type) return 1
  return delta === before.delta ? 3 : 2
}

function basicHeader(format: number, chunkStreamId: number): Buffer {
  if (chunkStreamId < 64) return Buffer.of((format << 6) | chunkStreamId)
  const rest = chunkStreamId - 64
  if (rest < 256) return Buffer.of(format << 6, rest)
  return Buffer.of((format << 6) | 1, rest % 256, Math.floor(rest / 256))
}

function uint24(value: number): Buffer {
  return uint32(value).subarray(1)
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
