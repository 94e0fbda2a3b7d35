import { nodeCrypto } from '../base/node-builtins.ts'
/**
 * The signed handshake packets of Flash Player 9.0.115 and Flash Media Server 3 and later, which Adobe's
 * specification leaves out: each first packet carries a Diffie-Hellman key and a digest at places that the
 * packet itself tells, each second packet is signed with the digest of the first packet of the peer. Flash
 * plays H.264 only from a server that knows this.
 *
 * Nothing is kept secret by it: the keys are known to everybody, and what follows is sent in the clear.
 */

/** Bytes of C1, S1, C2 and S2 (RTMP 1.0, 5.2.3 and 5.2.4). */
export const packetSize = 1536

/** The key with which one of the two sides signs. */
export interface SigningKey {
  /** For the digest in its own first packet: the text alone. */
  readonly short: Buffer
  /** For its answer to the other side's first packet: the text and 32 more bytes. */
  readonly long: Buffer
}

const keyTail = Buffer.from('f0eec24a8068bee82e00d0d1029e7e576eec5d2d29806fab93b8e636cfeb31ae', 'hex')

export const clientKey: SigningKey = signingKey('Genuine Adobe Flash Player 001')
export const serverKey: SigningKey = signingKey('Genuine Adobe Flash Media Server 001')

function signingKey(text: string): SigningKey {
  const short = Buffer.from(text, 'latin1')
  return { short, long: Buffer.concat([short, keyTail]) }
}

/**
 * Where a first packet has its two blocks of 764 bytes, behind time and version. In most sources the layout
 * with the Diffie-Hellman key first is schema 0, the one with the digest first schema 1.
 */
export type Layout = 'key-first' | 'digest-first'

const digestBlockAt: Record<Layout, number> = { 'key-first': 772, 'digest-first': 8 }
const keyBlockAt: Record<Layout, number> = { 'key-first': 8, 'digest-first': 772 }

const blockSize = 764
const digestSize = 32
const dhKeySize = 128
const offsetSize = 4

/** A first packet and the digest in it, to which the other side's second packet has to fit. */
export interface SignedPacket {
  readonly packet: Buffer
  readonly digest: Buffer
}

/**
 * Makes a first packet: C1 with the client's key, S1 with the server's.
 * @param time milliseconds of any clock of the sender, 0 .. 2^32-1
 * @param version four bytes, the version of the software; not 0, which would say that there is no digest
 */
export function signedFirstPacket(
  key: SigningKey,
  layout: Layout,
  time: number,
  version: number,
): SignedPacket {
  const packet = nodeCrypto().randomFillSync(Buffer.allocUnsafe(packetSize))
  packet.writeUInt32BE(time, 0)
  packet.writeUInt32BE(version, 4)
  dhPublicKey().copy(packet, dhKeyOffset(packet, layout))
  const at = digestOffset(packet, layout)
  const digest = digestAround(packet, at, key)
  digest.copy(packet, at)
  return { packet, digest }
}

/** The digest of a first packet and the layout in which it was found. */
export interface FoundDigest {
  readonly layout: Layout
  readonly digest: Buffer
}

/**
 * Looks for the digest of a first packet in both layouts.
 * @param packet C1 or S1, {@link packetSize} bytes
 * @param key of the side that sent it
 * @returns the digest in memory of its own; `null` if there is none that verifies
 */
export function findDigest(packet: Buffer, key: SigningKey): FoundDigest | null {
  for (const layout of ['key-first', 'digest-first'] as const) {
    const at = digestOffset(packet, layout)
    const digest = digestAround(packet, at, key)
    if (packet.compare(digest, 0, digestSize, at, at + digestSize) === 0) return { layout, digest }
  }
  return null
}

/**
 * Makes a second packet: S2 with the server's key, C2 with the client's.
 * @param digest from the first packet of the other side
 */
export function signedSecondPacket(key: SigningKey, digest: Buffer): Buffer {
  const packet = nodeCrypto().randomFillSync(Buffer.allocUnsafe(packetSize))
  signatureOf(packet, key, digest).copy(packet, packetSize - digestSize)
  return packet
}

/**
 * Whether a second packet is signed by the side that has the key.
 * @param digest from the first packet that this one answers
 */
export function isSigned(packet: Buffer, key: SigningKey, digest: Buffer): boolean {
  return signatureOf(packet, key, digest).equals(packet.subarray(packetSize - digestSize))
}

/** The last 32 bytes of a second packet sign those before. */
function signatureOf(packet: Buffer, key: SigningKey, digest: Buffer): Buffer {
  const secret = nodeCrypto().createHmac('sha256', key.long).update(digest).digest()
  return nodeCrypto()
    .createHmac('sha256', secret)
    .update(packet.subarray(0, packetSize - digestSize))
    .digest()
}

/** The digest covers all of a first packet but the place where it stands itself. */
function digestAround(packet: Buffer, at: number, key: SigningKey): Buffer {
  return nodeCrypto()
    .createHmac('sha256', key.short)
    .update(packet.subarray(0, at))
    .update(packet.subarray(at + digestSize))
    .digest()
}

/** A digest block begins with the four bytes that tell where in it the digest stands. */
function digestOffset(packet: Buffer, layout: Layout): number {
  const block = digestBlockAt[layout]
  return block + offsetSize + (sumOfFour(packet, block) % (blockSize - digestSize - offsetSize))
}

/** A key block ends with the four bytes that tell where in it the key stands. */
function dhKeyOffset(packet: Buffer, layout: Layout): number {
  const block = keyBlockAt[layout]
  return block + (sumOfFour(packet, block + blockSize - offsetSize) % (blockSize - dhKeySize - offsetSize))
}

function sumOfFour(packet: Buffer, at: number): number {
  return packet[at]! + packet[at + 1]! + packet[at + 2]! + packet[at + 3]!
}

let ownDhKey: Buffer | null = null

/**
 * The Diffie-Hellman key of this process, 128 bytes, in the second Oakley group (RFC 2409, 6.2). One key
 * serves all connections: the secret that it could agree on encrypts nothing (only RTMPE does, which Weir
 * doesn't speak), and to set one up takes tens of milliseconds, which nobody should get by connecting.
 */
function dhPublicKey(): Buffer {
  if (ownDhKey === null) {
    const key = nodeCrypto().getDiffieHellman('modp2').generateKeys()
    // One key in 256 is shorter than the prime.
    ownDhKey = Buffer.concat([Buffer.alloc(dhKeySize - key.length), key])
  }
  return ownDhKey
}
