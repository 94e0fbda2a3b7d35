/** Checks a live FLV stream as a player gets it, in place: bodies are not copied. */
import { WeirError } from '../../../base/errors.ts'
import { fileHeaderBytes, previousSizeBytes, tagHeaderBytes } from '../../../media/flv/tag.ts'
import { audioType, dataType, videoType } from '../../../media/packet.ts'
import { checkedBytes, type StreamChecker } from '../stream-checker.ts'
import type { MediaBody } from './media-body.ts'

/** What the next bytes are. */
type State = 'file header' | 'tag' | 'body'

/** The header and the size of no tag before the first. */
const openingBytes = fileHeaderBytes + previousSizeBytes
const maxBodyBytes = 8 * 1024 * 1024

/**
 * It is stricter than a reader of files: tags are audio, video or data, on stream 0, and the size behind each is
 * right. The headers and first bytes of a body are copied only if they come in pieces.
 */
export class FlvChecker implements MediaBody {
  readonly #stream: StreamChecker
  #state: State = 'file header'
  /** A header, or a tag's header and the beginning of its body, the rest of which has not come. */
  readonly #pending = Buffer.allocUnsafe(tagHeaderBytes + checkedBytes)
  #filled = 0
  /** Of the tag whose header is pending: bytes of its body and the size behind it that have not come. */
  #missing = 0
  /** The last four bytes that came: the size behind a tag, once that is complete. */
  #tail = 0

  constructor(stream: StreamChecker) {
    this.#stream = stream
  }

  push(bytes: Buffer, start: number, end: number, nowMs: number): void {
    let at = start
    while (at < end) {
      if (this.#state === 'body') at = this.#readBody(bytes, at, end, nowMs)
      else if (this.#state === 'tag' && this.#filled === 0 && this.#isWhole(bytes, at, end)) {
        at = this.#takeTag(bytes, at, nowMs)
      } else at = this.#readHeader(bytes, at, end)
    }
  }

  /** Whether a tag and the size behind it lie before `end`. */
  #isWhole(bytes: Buffer, at: number, end: number): boolean {
    if (end - at < tagHeaderBytes) return false
    return end - at >= tagHeaderBytes + bodyLength(bytes, at) + previousSizeBytes
  }

  #takeTag(bytes: Buffer, at: number, nowMs: number): number {
    checkTag(bytes, at)
    const length = bodyLength(bytes, at)
    const bodyAt = at + tagHeaderBytes
    checkSize(bytes.readUInt32BE(bodyAt + length), length)
    this.#tell(bytes, at, bodyAt + Math.min(length, checkedBytes), nowMs)
    return bodyAt + length + previousSizeBytes
  }

  #readHeader(bytes: Buffer, at: number, end: number): number {
    const needed = this.#state === 'tag' ? tagHeaderBytes : openingBytes
    const stop = Math.min(end, at + needed - this.#filled)
    this.#filled += bytes.copy(this.#pending, this.#filled, at, stop)
    if (this.#filled < needed) return stop
    if (this.#state === 'file header') {
      this.#checkOpening()
      this.#filled = 0
      this.#state = 'tag'
    } else {
      checkTag(this.#pending, 0)
      this.#missing = bodyLength(this.#pending, 0) + previousSizeBytes
      this.#state = 'body'
    }
    return stop
  }

  #checkOpening(): void {
    const bytes = this.#pending
    if (bytes.toString('latin1', 0, 3) !== 'FLV') {
      throw new WeirError('FLV_FORMAT', `begins with ${bytes.toString('hex', 0, 3)}, not with "FLV"`)
    }
    if (bytes.readUInt32BE(5) !== fileHeaderBytes || bytes.readUInt32BE(fileHeaderBytes) !== 0) {
      throw new WeirError('FLV_FORMAT', 'a file header that is not followed by the first tag')
    }
  }

  #readBody(bytes: Buffer, at: number, end: number, nowMs: number): number {
    const stop = Math.min(end, at + this.#missing)
    const ofBody = Math.min(stop, at + Math.max(this.#missing - previousSizeBytes, 0))
    this.#filled += bytes.copy(this.#pending, this.#filled, at, ofBody)
    for (let i = Math.max(at, stop - previousSizeBytes); i < stop; i++)
      this.#tail = (this.#tail << 8) | bytes[i]!
    this.#missing -= stop - at
    if (this.#missing > 0) return stop
    checkSize(this.#tail >>> 0, bodyLength(this.#pending, 0))
    this.#tell(this.#pending, 0, this.#filled, nowMs)
    this.#filled = 0
    this.#state = 'tag'
    return stop
  }

  /** @param headEnd end of the part of the body that is there */
  #tell(bytes: Buffer, at: number, headEnd: number, nowMs: number): void {
    const timestamp = bytes.readUIntBE(at + 4, 3) + bytes[at + 7]! * 2 ** 24
    this.#stream.onMedia(bytes[at]!, timestamp, bytes, at + tagHeaderBytes, headEnd, nowMs)
  }
}

function bodyLength(bytes: Buffer, at: number): number {
  return (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!
}

/** @param at of a tag's header, all of which is there */
function checkTag(bytes: Buffer, at: number): void {
  const type = bytes[at]!
  if (type !== audioType && type !== videoType && type !== dataType) {
    throw new WeirError('FLV_FORMAT', `a tag of type ${type}`)
  }
  if (bodyLength(bytes, at) > maxBodyBytes) throw new WeirError('FLV_FORMAT', 'a tag above 8 MiB')
  const streamId = bytes.readUIntBE(at + 8, 3)
  if (streamId !== 0) throw new WeirError('FLV_FORMAT', `a tag on stream ${streamId}`)
}

function checkSize(size: number, length: number): void {
  if (size === tagHeaderBytes + length) return
  throw new WeirError('FLV_FORMAT', `${size} behind a tag of ${tagHeaderBytes + length} bytes`)
}
