import { WeirError } from '../base/errors.ts'

/**
 * What one body may hold. A reference counts as much as what it stands for, so that whoever walks a decoded
 * value as a tree is held to the same bounds.
 */
export interface AmfLimits {
  /** Containers inside containers. */
  readonly depth: number
  /** Values in all, containers and what is in them. */
  readonly elements: number
  /** Bytes of one string, name, XML text or byte array. */
  readonly stringBytes: number
  /** Bytes of all of those together. */
  readonly totalBytes: number
}

export const defaultAmfLimits: AmfLimits = {
  depth: 32,
  elements: 4096,
  stringBytes: 64 * 1024,
  totalBytes: 1024 * 1024,
}

/** What walking through a value costs, itself not counted as an element. */
export interface AmfCost {
  readonly elements: number
  readonly bytes: number
  /** Containers from it down to the deepest one, itself counted. */
  readonly height: number
}

/** The bytes of one body, read once from front to back, and the account of what was found in them. */
export class AmfInput {
  readonly #bytes: Buffer
  readonly #end: number
  readonly #limits: AmfLimits
  #at: number
  #elements = 0
  #textBytes = 0
  #depth = 0
  #deepest = 0

  /**
   * @param start offset of the first byte to read
   * @param end offset behind the last byte to read
   */
  constructor(bytes: Buffer, start: number, end: number, limits: Partial<AmfLimits>) {
    this.#bytes = bytes
    this.#at = start
    this.#end = end
    this.#limits = { ...defaultAmfLimits, ...limits }
  }

  get done(): boolean {
    return this.#at >= this.#end
  }

  /** Offset of the next byte. */
  get position(): number {
    return this.#at
  }

  /** The next byte, which stays the next one; undefined at the end. */
  peek(): number | undefined {
    return this.done ? undefined : this.#bytes[this.#at]
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1))
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2))
  }

  i16(): number {
    return this.#bytes.readInt16BE(this.#take(2))
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4))
  }

  i32(): number {
    return this.#bytes.readInt32BE(this.#take(4))
  }

  f64(): number {
    return this.#bytes.readDoubleBE(this.#take(8))
  }

  /** A string of `length` bytes of UTF-8; what is not UTF-8 becomes U+FFFD. */
  text(length: number): string {
    const from = this.#takeText(length)
    return this.#bytes.toString('utf8', from, from + length)
  }

  /** `length` bytes as a copy. */
  raw(length: number): Uint8Array {
    const from = this.#takeText(length)
    return new Uint8Array(this.#bytes.subarray(from, from + length))
  }

  /** Counts values that are there. */
  addElements(count: number): void {
    this.requireElements(count)
    this.#elements += count
  }

  /** Refuses an announced number of values that the limit leaves no room for. */
  requireElements(count: number): void {
    if (count > this.#limits.elements - this.#elements) {
      throw new WeirError('AMF_LIMIT', `more than ${this.#limits.elements} AMF values`)
    }
  }

  /** Reads a container with `read`, one level down. */
  container<T>(read: () => T): { value: T; cost: AmfCost } {
    const outerDeepest = this.#deepest
    const elements = this.#elements
    const bytes = this.#textBytes
    this.#requireDepth(1)
    this.#depth += 1
    this.#deepest = this.#depth
    const value = read()
    const height = this.#deepest - this.#depth + 1
    this.#deepest = Math.max(this.#deepest, outerDeepest)
    this.#depth -= 1
    return { value, cost: { elements: this.#elements - elements, bytes: this.#textBytes - bytes, height } }
  }

  /** Counts a reference to something that cost `cost` where it was sent in full. */
  repeat(cost: AmfCost): void {
    this.#requireDepth(cost.height)
    this.#deepest = Math.max(this.#deepest, this.#depth + cost.height)
    this.addElements(cost.elements)
    this.#addText(cost.bytes)
  }

  #requireDepth(levels: number): void {
    if (this.#depth + levels > this.#limits.depth) {
      throw new WeirError('AMF_LIMIT', `AMF containers nested deeper than ${this.#limits.depth}`)
    }
  }

  #addText(bytes: number): void {
    this.#textBytes += bytes
    if (this.#textBytes > this.#limits.totalBytes) {
      throw new WeirError('AMF_LIMIT', `AMF strings of more than ${this.#limits.totalBytes} bytes in all`)
    }
  }

  /** Checks the limits of strings before their bytes: a length that is too large is no matter of truncation. */
  #takeText(length: number): number {
    if (length > this.#limits.stringBytes) {
      throw new WeirError('AMF_LIMIT', `AMF string of ${length} bytes, above ${this.#limits.stringBytes}`)
    }
    this.#addText(length)
    return this.#take(length)
  }

  #take(length: number): number {
    const from = this.#at
    if (length > this.#end - from) {
      throw new WeirError('AMF_TRUNCATED', `AMF needs ${length} bytes at ${from}, has ${this.#end - from}`)
    }
    this.#at = from + length
    return from
  }
}
