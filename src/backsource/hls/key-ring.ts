import type { Cipheriv } from 'node:crypto'
import { nodeCrypto } from '../../base/node-builtins.ts'

/** The key of a run of segments (RFC 8216, 4.3.2.4: AES-128 in CBC mode, with PKCS7 padding). */
export interface SegmentKey {
  readonly bytes: Buffer
  /** Its file and URI, once the first segment that it is for has a number. */
  name: { readonly file: string; readonly uri: string } | null
}

/** A segment's key, its initialization vector, and what encrypts it. */
export interface SegmentCipher {
  readonly key: SegmentKey
  /** 32 hexadecimal digits. */
  readonly iv: string
  readonly cipher: Cipheriv
}

const keyBytes = 16

/** Gives each segment a cipher, and a new key after so many of them (`hls_fragments_per_key`). */
export class KeyRing {
  #key: SegmentKey | null = null
  #segments = 0

  next(segmentsPerKey: number): SegmentCipher {
    if (this.#key === null || this.#segments >= segmentsPerKey) {
      this.#key = { bytes: nodeCrypto().randomBytes(keyBytes), name: null }
      this.#segments = 0
    }
    this.#segments += 1
    const iv = nodeCrypto().randomBytes(keyBytes)
    const cipher = nodeCrypto().createCipheriv('aes-128-cbc', this.#key.bytes, iv)
    return { key: this.#key, iv: iv.toString('hex'), cipher }
  }
}
