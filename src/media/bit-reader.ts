import { WeirError } from '../base/errors.ts'

/** Bytes of a codec configuration, read bit by bit, the highest first. Reading past the end throws MEDIA_FORMAT. */
export class BitReader {
  readonly #bytes: Uint8Array
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Bits that are left. */
  get left(): number {
    return this.#bytes.length * 8 - this.#at
  }

  /** The next `count` bits, 0 .. 32, as a number of at most 2^32-1. */
  bits(count: number): number {
    if (count > this.left) throw new WeirError('MEDIA_FORMAT', `codec configuration ends at bit ${this.#at}`)
    let value = 0
    for (let index = 0; index < count; index += 1) value = value * 2 + this.#bit()
    return value
  }

  flag(): boolean {
    return this.bits(1) === 1
  }

  /** Passes over `count` bits. */
  skip(count: number): void {
    if (count > this.left) throw new WeirError('MEDIA_FORMAT', `codec configuration ends at bit ${this.#at}`)
    this.#at += count
  }

  /** Passes over what is left of a byte that was begun. */
  alignToByte(): void {
    this.#at = Math.ceil(this.#at / 8) * 8
  }

  /**
   * An unsigned Exp-Golomb number (H.264 9.1): as many zeros as bits follow the first one.
   * @throws MEDIA_FORMAT above `max`, which is at most 2^32-2
   */
  unsigned(max: number): number {
    let zeros = 0
    while (!this.flag()) {
      zeros += 1
      if (zeros > 31) throw new WeirError('MEDIA_FORMAT', 'Exp-Golomb number of more than 32 bits')
    }
    const value = 2 ** zeros - 1 + this.bits(zeros)
    if (value > max) throw new WeirError('MEDIA_FORMAT', `${value} in a codec configuration, above ${max}`)
    return value
  }

  /** A signed Exp-Golomb number (H.264 9.1.1): 0, 1, -1, 2, -2 and so on. */
  signed(): number {
    const code = this.unsigned(2 ** 32 - 2)
    return code % 2 === 1 ? (code + 1) / 2 : 0 - code / 2
  }

  #bit(): number {
    const byte = this.#bytes[this.#at >> 3] ?? 0
    const bit = (byte >> (7 - (this.#at & 7))) & 1
    this.#at += 1
    return bit
  }
}
