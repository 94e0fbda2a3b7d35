/**
 * The handshake (RTMP 1.0, section 5.2), bytes in and bytes out, in both roles: the simple one of the
 * specification and the complex one of Flash, with digests (digest.ts).
 */

import { WeirError } from '../base/errors.ts'
import { nodeCrypto } from '../base/node-builtins.ts'
import {
  clientKey,
  findDigest,
  isSigned,
  packetSize,
  serverKey,
  signedFirstPacket,
  signedSecondPacket,
} from './digest.ts'

export type HandshakeKind = 'simple' | 'complex'

/** What a push led to. */
export interface HandshakeResult {
  /** To be sent to the peer now. */
  readonly output: Buffer | null
  /** What was pushed beyond the end of the handshake: a view of the pushed bytes, never empty. */
  readonly rest: Buffer | null
}

/** The protocol version in C0 and S0 (5.2.2). RTMPE, which has 6 or 8 there, is not spoken. */
const version = 3
/** C0 and C1, or S0 and S1. */
const greetingSize = 1 + packetSize

/** 3.5.1.1, a Flash Media Server; ffmpeg plays with the complex handshake from 3 on only. */
const serverVersion = 0x03050101
/** 9.0.124.2, the Flash Player that ffmpeg claims to be too. */
const clientVersion = 0x09007c02

/** The server's side: answers C0 and C1 at once with S0, S1 and S2, then waits for C2. */
export class ServerHandshake {
  readonly #greeting = new Collector(greetingSize)
  /** Bytes of C2 that have not come. Its content is not looked at: real clients send what they like. */
  #answerLeft = packetSize
  #kind: HandshakeKind | null = null

  get done(): boolean {
    return this.#answerLeft === 0
  }

  /** `null` until C1 is there. */
  get kind(): HandshakeKind | null {
    return this.#kind
  }

  /**
   * Takes the next bytes; they are not kept beyond the call. Once it is done, all of them are the `rest`.
   * @throws WeirError RTMP_HANDSHAKE_VERSION at the first byte, if it is another than 3
   */
  push(bytes: Buffer): HandshakeResult {
    let at = 0
    let output: Buffer | null = null
    if (this.#kind === null) {
      at = takeGreeting(this.#greeting, bytes)
      if (!this.#greeting.full) return { output: null, rest: null }
      output = this.#answer(this.#greeting.bytes.subarray(1))
    }
    const skipped = Math.min(this.#answerLeft, bytes.length - at)
    this.#answerLeft -= skipped
    return { output, rest: restOf(bytes, at + skipped) }
  }

  /** @returns S0, S1 and S2 */
  #answer(c1: Buffer): Buffer {
    const s0 = Buffer.of(version)
    // The four bytes that are 0 in the simple handshake (5.2.3) are the client's version in the complex one.
    const found = c1.readUInt32BE(4) === 0 ? null : findDigest(c1, clientKey)
    if (found === null) {
      this.#kind = 'simple'
      // All of C1, although S2 should have a time of its own (5.2.4): librtmp compares every byte.
      return Buffer.concat([s0, plainFirstPacket(), c1])
    }
    this.#kind = 'complex'
    const { packet: s1 } = signedFirstPacket(serverKey, found.layout, uptimeMs(), serverVersion)
    return Buffer.concat([s0, s1, signedSecondPacket(serverKey, found.digest)])
  }
}

/** The client's side: sends C0 and C1, answers S1 with C2, then waits for S2. */
export class ClientHandshake {
  readonly #c1: Buffer
  /** The digest in C1 that S2 has to be signed for; `null` once it is clear that S2 is not signed. */
  #digest: Buffer | null
  readonly #greeting = new Collector(greetingSize)
  readonly #s2 = new Collector(packetSize)
  #kind: HandshakeKind | null = null

  /** @param options.kind what to offer; a server that knows only the simple handshake is accepted anyway */
  constructor(options: { readonly kind?: HandshakeKind } = {}) {
    if (options.kind === 'simple') {
      this.#c1 = plainFirstPacket()
      this.#digest = null
    } else {
      // The layout of ffmpeg's and of the Flash Players of this version.
      const { packet, digest } = signedFirstPacket(clientKey, 'digest-first', uptimeMs(), clientVersion)
      this.#c1 = packet
      this.#digest = digest
    }
  }

  /** C0 and C1, to be sent first. */
  start(): Buffer {
    return Buffer.concat([Buffer.of(version), this.#c1])
  }

  get done(): boolean {
    return this.#s2.full
  }

  /** `null` until S1 is there. */
  get kind(): HandshakeKind | null {
    return this.#kind
  }

  /**
   * Takes the next bytes; they are not kept beyond the call. Once it is done, all of them are the `rest`.
   * @throws WeirError RTMP_HANDSHAKE_VERSION at the first byte, if it is another than 3
   * @throws WeirError RTMP_HANDSHAKE_DIGEST if S1 carries a digest and the signature of S2 doesn't fit C1
   */
  push(bytes: Buffer): HandshakeResult {
    let at = 0
    let output: Buffer | null = null
    if (this.#kind === null) {
      at = takeGreeting(this.#greeting, bytes)
      if (!this.#greeting.full) return { output: null, rest: null }
      output = this.#answer(this.#greeting.bytes.subarray(1))
    }
    if (!this.done) {
      at = this.#s2.take(bytes, at)
      if (this.done) this.#check(this.#s2.bytes)
    }
    return { output, rest: restOf(bytes, at) }
  }

  /** @returns C2 */
  #answer(s1: Buffer): Buffer {
    const found = this.#digest === null ? null : findDigest(s1, serverKey)
    if (found === null) {
      this.#kind = 'simple'
      this.#digest = null
      return Buffer.from(s1)
    }
    this.#kind = 'complex'
    return signedSecondPacket(clientKey, found.digest)
  }

  #check(s2: Buffer): void {
    if (this.#digest !== null && !isSigned(s2, serverKey, this.#digest)) {
      throw new WeirError(
        'RTMP_HANDSHAKE_DIGEST',
        'the server answered with a signature that does not verify',
      )
    }
  }
}

/** Memory of a fixed size that is filled as bytes come. */
class Collector {
  readonly bytes: Buffer
  #filled = 0

  constructor(size: number) {
    // Not from the shared pool, of which it would hold 8 kB.
    this.bytes = Buffer.allocUnsafeSlow(size)
  }

  get empty(): boolean {
    return this.#filled === 0
  }

  get full(): boolean {
    return this.#filled === this.bytes.length
  }

  /** Copies what it lacks from `source`, beginning at `at`; returns the offset behind it. */
  take(source: Buffer, at: number): number {
    const taken = source.copy(this.bytes, this.#filled, at)
    this.#filled += taken
    return at + taken
  }
}

/** Takes what `bytes` has of C0 and C1, or S0 and S1; returns the offset behind it. */
function takeGreeting(greeting: Collector, bytes: Buffer): number {
  const first = bytes[0]
  if (greeting.empty && first !== undefined && first !== version) {
    const hex = first.toString(16).padStart(2, '0')
    throw new WeirError('RTMP_HANDSHAKE_VERSION', `the first byte is 0x${hex}, not 0x03`)
  }
  return greeting.take(bytes, 0)
}

/** C1 or S1 of the simple handshake: the time, four zeros, random bytes (5.2.3). */
function plainFirstPacket(): Buffer {
  const packet = nodeCrypto().randomFillSync(Buffer.allocUnsafe(packetSize))
  packet.writeUInt32BE(uptimeMs(), 0)
  packet.writeUInt32BE(0, 4)
  return packet
}

/** Milliseconds since the start of the process, modulo 2^32. */
function uptimeMs(): number {
  return Math.floor(performance.now()) % 2 ** 32
}

function restOf(bytes: Buffer, at: number): Buffer | null {
  return at < bytes.length ? bytes.subarray(at) : null
}
