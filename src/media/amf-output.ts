/** Bytes that are being encoded: a buffer that grows by doubling. */
export class AmfOutput {
  #bytes = Buffer.allocUnsafe(512)
  #length = 0

  u8(value: number): void {
    const at = this.#grow(1)
    this.#bytes.writeUInt8(value, at)
  }

  u16(value: number): void {
    const at = this.#grow(2)
    this.#bytes.writeUInt16BE(value, at)
  }

  i16(value: number): void {
    const at = this.#grow(2)
    this.#bytes.writeInt16BE(value, at)
  }

  u32(value: number): void {
    const at = this.#grow(4)
    this.#bytes.writeUInt32BE(value, at)
  }

  i32(value: number): void {
    const at = this.#grow(4)
    this.#bytes.writeInt32BE(value, at)
  }

  f64(value: number): void {
    const at = this.#grow(8)
    this.#bytes.writeDoubleBE(value, at)
  }

  /** @param byteLength `Buffer.byteLength(text)`, which the caller wrote in front of it */
  text(text: string, byteLength: number): void {
    const at = this.#grow(byteLength)
    this.#bytes.write(text, at, 'utf8')
  }

  raw(bytes: Uint8Array): void {
    const at = this.#grow(bytes.length)
    this.#bytes.set(bytes, at)
  }

  /** All that was written, in memory of its own. */
  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length))
  }

  /** Makes room for `count` bytes and returns the offset of the first. */
  #grow(count: number): number {
    const at = this.#length
    const length = at + count
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(length, 2 * this.#bytes.length))
      larger.set(this.#bytes.subarray(0, at))
      this.#bytes = larger
    }
    this.#length = length
    return at
  }
}
