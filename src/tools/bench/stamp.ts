/**
 * The mark that `weir bench publish --stamp` puts into each picture and that players look for: a number that counts
 * the pictures, and the time of sending. It is an SEI message of unregistered user data (ISO/IEC 14496-10, 7.3.2.3,
 * D.1.7, D.2.7) as the first NAL unit of the frame, which every decoder passes over and every server relays.
 *
 * ```
 * frame      := FLV video header (5 bytes)  stamp unit  the frame's own NAL units
 * stamp unit := length:u32 = 44  06 (SEI)  05 (user data)  40 (bytes)  uuid[16]  number[8]  sent[16]  80 (end)
 * ```
 *
 * `number` is a u32 and `sent` an f64 of milliseconds, both big-endian, each byte as two bytes of four bits with the
 * top bit set: thus no zeros arise, which would need emulation prevention (7.4.1).
 */
import { type Packet, videoType } from '../../media/packet.ts'

/** What a stamp says. */
export interface Stamp {
  /** Counts the stamped pictures of a publisher, modulo 2^32. */
  sequence: number
  /** When it was sent, in ms of the machine's clock. */
  sentMs: number
}

/** Frame type, codec, AVCPacketType and composition time (FLV E.4.3.1). */
const videoHeaderBytes = 5
/** In front of the number: length, NAL unit type, payload type and size, UUID. */
const prefix = Buffer.from('0000002c060528b75e1f4ac86d4f2e9a31d57c48e6920b', 'hex')
/** The same without the length. */
const unitPrefix = prefix.subarray(4)
const numbersBytes = 4 + 8
const stampUnitBytes = prefix.length + 2 * numbersBytes + 1
const numbersAt = videoHeaderBytes + prefix.length
/** `rbsp_trailing_bits`. */
const trailingBits = 0x80

/** All that {@link readStamp} needs of a body: its first bytes, up to the end of a stamp. */
export const stampEnd = videoHeaderBytes + stampUnitBytes

/** Whether the packet is a picture that can carry a stamp: H.264 with FLV's own header. */
export function isStampable({ type, body }: Packet): boolean {
  return type === videoType && body.length > videoHeaderBytes && isAvcPicture(body, 0)
}

/** A copy of a frame's body with room for a stamp, to be filled by {@link writeStamp}. NAL lengths take 4 bytes. */
export function withStamp(body: Buffer): Buffer {
  const numbers = Buffer.alloc(2 * numbersBytes, 0x80)
  const header = body.subarray(0, videoHeaderBytes)
  return Buffer.concat([header, prefix, numbers, Buffer.of(trailingBits), body.subarray(videoHeaderBytes)])
}

/** Fills the stamp of a body that {@link withStamp} made, in place. */
export function writeStamp(body: Buffer, sequence: number, sentMs: number): void {
  scratch.writeUInt32BE(sequence, 0)
  scratch.writeDoubleBE(sentMs, 4)
  let to = numbersAt
  for (const byte of scratch) {
    body[to++] = 0x80 | (byte >> 4)
    body[to++] = 0x80 | (byte & 0x0f)
  }
}

/**
 * Reads the stamp of a video body, the beginning of which is `bytes[start, end)`. Allocates nothing.
 * @param stamp gets what it says
 * @returns false if there is none
 */
export function readStamp(bytes: Buffer, start: number, end: number, stamp: Stamp): boolean {
  if (end - start < stampEnd || !isAvcPicture(bytes, start)) return false
  const prefixAt = start + videoHeaderBytes
  for (let i = 0; i < prefix.length; i++) if (bytes[prefixAt + i] !== prefix[i]) return false
  readNumbers(bytes, start + numbersAt, stamp)
  return true
}

/**
 * Looks for the stamp in the beginning of a picture whose NAL units are behind start codes, as they are in MPEG-TS.
 * @param stamp gets what it says
 * @returns false if `bytes[0, end)` has none
 */
export function findStamp(bytes: Buffer, end: number, stamp: Stamp): boolean {
  const unitAt = bytes.indexOf(unitPrefix)
  const at = unitAt + unitPrefix.length
  if (unitAt < 0 || at + 2 * numbersBytes > end) return false
  readNumbers(bytes, at, stamp)
  return true
}

function readNumbers(bytes: Buffer, at: number, stamp: Stamp): void {
  let from = at
  for (let i = 0; i < numbersBytes; i++) {
    scratch[i] = ((bytes[from]! & 0x0f) << 4) | (bytes[from + 1]! & 0x0f)
    from += 2
  }
  stamp.sequence = scratch.readUInt32BE(0)
  stamp.sentMs = scratch.readDoubleBE(4)
}

/** The numbers of a stamp while they are written or read. */
const scratch = Buffer.alloc(numbersBytes)

const avc = 7
const enhancedBit = 0x80
const codecMask = 0x0f
/** AVCPacketType: NAL units of a picture. */
const picture = 1

function isAvcPicture(bytes: Buffer, at: number): boolean {
  return (bytes[at]! & (enhancedBit | codecMask)) === avc && bytes[at + 1] === picture
}
