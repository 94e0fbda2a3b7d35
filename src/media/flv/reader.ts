import { WeirError } from '../../base/errors.ts'
import { audioType, dataType, type PacketType, videoType } from '../packet.ts'
import {
  audioFlag,
  type FlvContent,
  type FlvTag,
  fileHeaderBytes,
  previousSizeBytes,
  tagHeaderBytes,
  videoFlag,
} from './tag.ts'

/** Longest body that is accepted unless the caller says otherwise: Weir's own bound for an RTMP message. */
const defaultMaxBodyBytes = 8 * 1024 * 1024

/** Longest file header that is accepted. Version 1 has 9 bytes; the length is there for later ones. */
const maxFileHeaderBytes = 64 * 1024

/** Bit of a tag's first byte: the body is encrypted (annex F). */
const filterBit = 0x20

/** What the next bytes are. */
type State = 'file header' | 'between tags' | 'tag header' | 'body'

/**
 * Reads an FLV file or stream that comes in pieces of any size. After a throw it cannot go on.
 *
 * The sizes between the tags are passed over unread: encoders write wrong ones. So are stream ids, and whole
 * tags of other types than audio, video and data, which some servers record.
 */
export class FlvReader {
  readonly #maxBodyBytes: number
  readonly #header = Buffer.alloc(tagHeaderBytes)
  #content: FlvContent | null = null
  #state: State = 'file header'
  /** Bytes of this state that have not come yet. */
  #missing = fileHeaderBytes
  /** Where the bytes of this state go, its end at the end of the state; null if they are passed over. */
  #target: Buffer | null = this.#header.subarray(0, fileHeaderBytes)
  /** Offset in the file of the next byte. */
  #offset = 0
  #tagOffset = 0
  /** The tag whose body is being read; null if that is passed over. */
  #tag: FlvTag | null = null

  /** @param maxBodyBytes longest body that a tag may announce */
  constructor(maxBodyBytes = defaultMaxBodyBytes) {
    this.#maxBodyBytes = maxBodyBytes
  }

  /** What the file header announces; null until it has come. */
  get content(): FlvContent | null {
    return this.#content
  }

  /** Whether the bytes so far end within the file header or a tag: a file that ends so is cut off. */
  get unfinished(): boolean {
    if (this.#state === 'between tags') return false
    return this.#state !== 'tag header' || this.#missing < tagHeaderBytes
  }

  /**
   * Takes the next bytes of the file. They are copied: the caller may use their memory again.
   * @returns the tags that they complete
   * @throws FLV_FORMAT if they are not FLV, or a tag is encrypted or announces a body above the limit
   */
  push(bytes: Buffer): FlvTag[] {
    const tags: FlvTag[] = []
    let at = 0
    while (at < bytes.length) {
      const end = Math.min(bytes.length, at + this.#missing)
      const target = this.#target
      if (target) bytes.copy(target, target.length - this.#missing, at, end)
      this.#missing -= end - at
      this.#offset += end - at
      at = end
      while (this.#missing === 0) this.#finishState(tags)
    }
    return tags
  }

  #enter(state: State, byteCount: number, target: Buffer | null): void {
    this.#state = state
    this.#missing = byteCount
    this.#target = target
  }

  #finishState(tags: FlvTag[]): void {
    switch (this.#state) {
      case 'file header':
        this.#readFileHeader()
        break
      case 'between tags':
        this.#tagOffset = this.#offset
        this.#enter('tag header', tagHeaderBytes, this.#header)
        break
      case 'tag header':
        this.#readTagHeader()
        break
      case 'body':
        if (this.#tag) tags.push(this.#tag)
        this.#enter('between tags', previousSizeBytes, null)
        break
    }
  }

  #readFileHeader(): void {
    const header = this.#header
    if (header.toString('latin1', 0, 3) !== 'FLV') {
      throw new WeirError('FLV_FORMAT', `begins with ${header.toString('hex', 0, 3)}, not with "FLV"`)
    }
    const flags = header.readUInt8(4)
    const length = header.readUInt32BE(5)
    if (length < fileHeaderBytes || length > maxFileHeaderBytes) {
      throw new WeirError('FLV_FORMAT', `an FLV header of ${length} bytes`)
    }
    this.#content = { audio: (flags & audioFlag) !== 0, video: (flags & videoFlag) !== 0 }
    this.#enter('between tags', length - fileHeaderBytes + previousSizeBytes, null)
  }

  #readTagHeader(): void {
    const header = this.#header
    const type = header.readUInt8(0) & 0x1f
    const length = header.readUIntBE(1, 3)
    const at = `FLV tag at ${this.#tagOffset}`
    if (length > this.#maxBodyBytes) {
      throw new WeirError('FLV_FORMAT', `${at} announces ${length} bytes, above ${this.#maxBodyBytes}`)
    }
    if (header.readUInt8(0) & filterBit) throw new WeirError('FLV_FORMAT', `${at} is encrypted`)
    this.#tag = null
    if (isPacketType(type)) {
      // The lower 24 bits come first, then the upper 8 (TimestampExtended).
      const timestamp = header.readUIntBE(4, 3) + header.readUInt8(7) * 2 ** 24
      this.#tag = { type, timestamp, body: Buffer.allocUnsafe(length), offset: this.#tagOffset }
    }
    this.#enter('body', length, this.#tag?.body ?? null)
  }
}

function isPacketType(type: number): type is PacketType {
  return type === audioType || type === videoType || type === dataType
}
