/** Times in a transport stream. Source: ISO/IEC 13818-1, 2.4.3.5 (PCR) and 2.4.3.7 (PTS and DTS). */

/** Units of PTS, DTS and the base of PCR in a millisecond: they count at 90 kHz. */
export const ticksPerMs = 90

/** They count modulo 2^33: around once in 26.5 hours. */
const wrap = 2 ** 33

/** Milliseconds, which may be any finite number, in units of 90 kHz, wrapped. */
export function ticksOf(timeMs: number): number {
  const ticks = Math.round(timeMs * ticksPerMs) % wrap
  return ticks < 0 ? ticks + wrap : ticks
}

/**
 * Writes the five bytes of a PTS or DTS.
 * @param marker the four bits in front: 2 for a PTS alone, 3 for a PTS that a DTS follows, 1 for that DTS
 * @returns the offset behind
 */
export function writeTimeStamp(target: Buffer, at: number, marker: number, ticks: number): number {
  target[at] = (marker << 4) | ((Math.floor(ticks / 2 ** 30) & 0x07) << 1) | 1
  target[at + 1] = (ticks >>> 22) & 0xff
  target[at + 2] = ((ticks >>> 14) & 0xfe) | 1
  target[at + 3] = (ticks >>> 7) & 0xff
  target[at + 4] = ((ticks << 1) & 0xfe) | 1
  return at + 5
}

/**
 * Writes the six bytes of a PCR; its extension, which counts at 27 MHz, is 0.
 * @returns the offset behind
 */
export function writeClockReference(target: Buffer, at: number, ticks: number): number {
  target.writeUInt32BE(Math.floor(ticks / 2), at)
  target[at + 4] = ((ticks & 1) << 7) | 0x7e
  target[at + 5] = 0
  return at + 6
}
