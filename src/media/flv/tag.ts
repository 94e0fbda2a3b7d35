import type { PacketType } from '../packet.ts'

/**
 * The layout of an FLV file: a header, then for each tag the size of the one before it and the tag.
 *
 * Source: Adobe "Video File Format Specification" 10.1, annex E.2 to E.4.1.
 */

/** Bytes of the file header in version 1. */
export const fileHeaderBytes = 9
/** Bytes of a tag in front of its body. */
export const tagHeaderBytes = 11
/** Bytes of the size that is repeated behind each tag (PreviousTagSize). */
export const previousSizeBytes = 4

/** The largest body that the 24 bits of a tag's length can announce. */
export const maxBodyBytes = 0xffffff

/** What a file says that it holds. Encoders get it wrong, so it is no more than a hint. */
export interface FlvContent {
  readonly audio: boolean
  readonly video: boolean
}

/** Bits of the header's flags. */
export const audioFlag = 0x04
export const videoFlag = 0x01

/** A tag as it is in a file. */
export interface FlvTag {
  readonly type: PacketType
  /** Milliseconds, 0 .. 2^32-1. */
  readonly timestamp: number
  readonly body: Buffer
  /** Offset of the tag in the file: what a seek goes to. */
  readonly offset: number
}
