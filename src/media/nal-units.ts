/**
 * The NAL units of an access unit, as FLV and MP4 have them (each behind its length) and as MPEG-TS has them (behind
 * start codes). Some encoders send the latter in RTMP too.
 *
 * Sources: ISO/IEC 14496-15, 5.3.4.2 (lengths); ISO/IEC 14496-10, annex B (start codes).
 */

const startCode = Buffer.of(0, 0, 1)

/** A list of the units of one access unit after the other: it allocates nothing once it has grown. */
export class NalUnits {
  /** Offsets of each unit and behind it; only the first {@link count} are in use. */
  readonly starts: number[] = []
  readonly ends: number[] = []
  count = 0
  /** Whether the units stood behind start codes rather than lengths. */
  isAnnexB = false

  /**
   * Finds the units in the bytes from `start` up to `end`. Lengths are tried first: a unit of 256 to 511 bytes has a
   * length that looks like a start code, whereas start codes hardly ever add up to lengths that end where the bytes
   * do. Of lengths that do not add up, the units that are whole are taken. Empty units are left out.
   * @param lengthBytes bytes of each length, 1 .. 4
   */
  read(bytes: Buffer, start: number, end: number, lengthBytes: number): void {
    this.isAnnexB = false
    if (this.#readLengths(bytes, start, end, lengthBytes) || !beginsWithStartCode(bytes, start, end)) return
    this.isAnnexB = true
    this.#readStartCodes(bytes, start, end)
  }

  /** @returns whether the lengths lead to the end exactly */
  #readLengths(bytes: Buffer, start: number, end: number, lengthBytes: number): boolean {
    this.count = 0
    let at = start
    while (at + lengthBytes <= end) {
      const from = at + lengthBytes
      const to = from + bytes.readUIntBE(at, lengthBytes)
      if (to > end) return false
      this.#add(from, to)
      at = to
    }
    return at === end
  }

  #readStartCodes(bytes: Buffer, start: number, end: number): void {
    this.count = 0
    let code = bytes.indexOf(startCode, start)
    while (code >= 0 && code < end) {
      const from = code + startCode.length
      code = bytes.indexOf(startCode, from)
      let to = code >= 0 && code < end ? code : end
      // A fourth byte of the next start code, or padding: no unit ends with a zero.
      while (to > from && bytes[to - 1] === 0) to -= 1
      this.#add(from, to)
    }
  }

  #add(from: number, to: number): void {
    if (to <= from) return
    this.starts[this.count] = from
    this.ends[this.count] = to
    this.count += 1
  }
}

function beginsWithStartCode(bytes: Buffer, start: number, end: number): boolean {
  if (start + 4 > end || bytes[start] !== 0 || bytes[start + 1] !== 0) return false
  return bytes[start + 2] === 1 || (bytes[start + 2] === 0 && bytes[start + 3] === 1)
}
