import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  clientKey,
  findDigest,
  isSigned,
  type Layout,
  packetSize,
  serverKey,
  signedFirstPacket,
  signedSecondPacket,
} from '../../src/rtmp/digest.ts'

/** Recorded handshakes: all that one side sent. */
function recorded(name: string): { first: Buffer; second: Buffer } {
  const bytes = readFileSync(new URL(`fixtures/${name}.bin`, import.meta.url))
  return { first: bytes.subarray(1, 1 + packetSize), second: bytes.subarray(1 + packetSize) }
}

describe('packets of other implementations', () => {
  it.each([
    ['ffmpeg-play-client', clientKey, 'digest-first'],
    // librtmp puts the key first when it wants RTMPE; the recorded C0 of 6 is made a 3.
    ['librtmp-key-first-client', clientKey, 'key-first'],
    ['nginx-rtmp-server', serverKey, 'digest-first'],
  ] as const)('finds the digest of %s', (name, key, layout) => {
    expect(findDigest(recorded(name).first, key)?.layout).toBe(layout)
  })

  it('finds no digest under the key of the other side', () => {
    expect(findDigest(recorded('ffmpeg-play-client').first, serverKey)).toBeNull()
  })

  it('finds no digest in the simple handshake of librtmp', () => {
    expect(findDigest(recorded('librtmp-simple-client').first, clientKey)).toBeNull()
  })

  it('verifies the C2 of ffmpeg and the S2 of nginx-rtmp', () => {
    for (const [asked, answered, askingKey, answeringKey] of [
      ['ffmpeg-play-server', 'ffmpeg-play-client', serverKey, clientKey],
      ['nginx-rtmp-client', 'nginx-rtmp-server', clientKey, serverKey],
    ] as const) {
      const digest = findDigest(recorded(asked).first, askingKey)!.digest
      expect(isSigned(recorded(answered).second, answeringKey, digest)).toBe(true)
      expect(isSigned(recorded(answered).second, askingKey, digest)).toBe(false)
    }
  })
})

describe.each<Layout>(['key-first', 'digest-first'])('a packet of layout %s', (layout) => {
  it('has a digest that is found wherever the random bytes put it', () => {
    for (let i = 0; i < 100; i++) {
      const { packet, digest } = signedFirstPacket(serverKey, layout, i, 0x03050101)
      expect(findDigest(packet, serverKey)).toEqual({ layout, digest })
    }
  })

  it('begins with time and version', () => {
    const { packet } = signedFirstPacket(clientKey, layout, 0xfffefdfc, 0x09007c02)
    expect(packet.length).toBe(1536)
    expect(packet.toString('hex', 0, 8)).toBe('fffefdfc09007c02')
  })

  it('is not verified when any byte is changed', () => {
    const { packet } = signedFirstPacket(clientKey, layout, 0, 1)
    for (let at = 0; at < packetSize; at += 61) {
      const changed = Buffer.from(packet)
      changed[at] = changed[at]! ^ 0x10
      expect(findDigest(changed, clientKey)).toBeNull()
    }
  })

  it('carries a public key of the second Oakley group', () => {
    const { packet } = signedFirstPacket(serverKey, layout, 0, 1)
    const block = layout === 'key-first' ? 8 : 772
    const sum = packet.subarray(block + 760, block + 764).reduce((total, byte) => total + byte, 0)
    const key = packet.toString('hex', block + (sum % 632), block + (sum % 632) + 128)
    // What 2 generates are the squares, and of a safe prime's residues just those are 1 to the power of q.
    expect(power(BigInt(`0x${key}`), (oakley2 - 1n) / 2n, oakley2)).toBe(1n)
  })
})

describe('signedSecondPacket', () => {
  it('is verified with the digest that it answers and with no other', () => {
    const digest = Buffer.alloc(32, 7)
    const packet = signedSecondPacket(serverKey, digest)
    expect(packet.length).toBe(packetSize)
    expect(isSigned(packet, serverKey, digest)).toBe(true)
    expect(isSigned(packet, serverKey, Buffer.alloc(32, 8))).toBe(false)
    packet[0] = packet[0]! ^ 1
    expect(isSigned(packet, serverKey, digest)).toBe(false)
  })
})

/** RFC 2409, section 6.2. */
const oakley2 = BigInt(
  `0x${[
    'FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74',
    '020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437',
    '4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED',
    'EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF',
  ].join('')}`,
)

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  let square = base % modulus
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}
