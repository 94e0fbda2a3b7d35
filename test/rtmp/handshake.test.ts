import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  clientKey,
  findDigest,
  isSigned,
  packetSize,
  serverKey,
  signedFirstPacket,
} from '../../src/rtmp/digest.ts'
import { ClientHandshake, type HandshakeKind, ServerHandshake } from '../../src/rtmp/handshake.ts'
import { pieces } from './bytes.ts'

/** What a client was recorded to send, C0 first. */
function recorded(name: string): Buffer {
  return readFileSync(new URL(`fixtures/${name}.bin`, import.meta.url))
}

/** Pushes bytes in pieces and gathers all that comes out. */
function pushAll(
  side: ServerHandshake | ClientHandshake,
  bytes: Buffer,
  size: number,
): { output: Buffer; rest: Buffer } {
  const output: Buffer[] = []
  const rest: Buffer[] = []
  for (const piece of pieces(bytes, size)) {
    const result = side.push(piece)
    if (result.output !== null) output.push(result.output)
    if (result.rest !== null) rest.push(result.rest)
  }
  return { output: Buffer.concat(output), rest: Buffer.concat(rest) }
}

const sizes = [1, 7, 1536, 1537, 1538, 3073, 100_000]

describe('ServerHandshake', () => {
  it('answers the C1 of ffmpeg with the complex handshake', () => {
    const client = recorded('ffmpeg-play-client')
    const server = new ServerHandshake()
    const { output } = server.push(client.subarray(0, 1537))
    expect(server.kind).toBe('complex')
    expect(server.done).toBe(false)
    expect(output?.length).toBe(1 + 2 * packetSize)
    expect(output?.[0]).toBe(3)
    expect(output?.toString('hex', 5, 9)).toBe('03050101')
    expect(findDigest(output!.subarray(1, 1537), serverKey)?.layout).toBe('digest-first')
    const digest = findDigest(client.subarray(1, 1537), clientKey)!.digest
    expect(isSigned(output!.subarray(1537), serverKey, digest)).toBe(true)
  })

  it('answers in the layout in which the client asked', () => {
    const server = new ServerHandshake()
    const { output } = server.push(recorded('librtmp-key-first-client'))
    expect(findDigest(output!.subarray(1, 1537), serverKey)?.layout).toBe('key-first')
  })

  it('answers the C1 of librtmp with the simple handshake and its own bytes', () => {
    const client = recorded('librtmp-simple-client')
    const server = new ServerHandshake()
    const { output } = server.push(client)
    expect(server.kind).toBe('simple')
    expect(output?.[0]).toBe(3)
    expect(output?.readUInt32BE(5)).toBe(0)
    expect(output?.subarray(1537)).toEqual(client.subarray(1))
  })

  it('falls back to the simple handshake when the digest does not verify', () => {
    const client = recorded('ffmpeg-play-client').subarray(0, 1537)
    client[1500] = client[1500]! ^ 1
    const server = new ServerHandshake()
    const { output } = server.push(client)
    expect(server.kind).toBe('simple')
    expect(output?.subarray(1537)).toEqual(client.subarray(1))
  })

  it('does not look for a digest when the version in C1 is 0', () => {
    const { packet } = signedFirstPacket(clientKey, 'digest-first', 0, 0)
    const server = new ServerHandshake()
    server.push(Buffer.concat([Buffer.of(3), packet]))
    expect(server.kind).toBe('simple')
  })

  it.each(sizes)('takes a whole exchange in pieces of %i bytes, with any C2', (size) => {
    const server = new ServerHandshake()
    const greeting = recorded('ffmpeg-play-client').subarray(0, 1537)
    const c2 = Buffer.alloc(packetSize)
    const { output, rest } = pushAll(server, Buffer.concat([greeting, c2, Buffer.from('chunks')]), size)
    expect(output.length).toBe(1 + 2 * packetSize)
    expect(rest.toString()).toBe('chunks')
    expect(server.done).toBe(true)
    expect(server.push(Buffer.from('more')).rest?.toString()).toBe('more')
  })

  it('is not done, and has no rest, one byte before the end of C2', () => {
    const server = new ServerHandshake()
    const { output, rest } = server.push(recorded('ffmpeg-play-client').subarray(0, 3072))
    expect(output).not.toBeNull()
    expect(rest).toBeNull()
    expect(server.done).toBe(false)
    expect(server.push(Buffer.alloc(1))).toEqual({ output: null, rest: null })
    expect(server.done).toBe(true)
  })

  it('keeps no pushed bytes: the caller may use their memory again', () => {
    const client = recorded('librtmp-simple-client')
    const server = new ServerHandshake()
    const shared = Buffer.from(client.subarray(0, 1000))
    server.push(shared)
    shared.fill(0)
    const { output } = server.push(client.subarray(1000))
    expect(output?.subarray(1537)).toEqual(client.subarray(1))
  })

  it.each([
    ['RTMPE', 6],
    ['RTMPE with XTEA', 8],
    ['an HTTP request', 0x47],
    ['a TLS hello', 0x16],
    ['an older version', 2],
  ])('refuses %s at its first byte', (_, first) => {
    const server = new ServerHandshake()
    expect(() => server.push(Buffer.of(first))).toThrowError(
      expect.objectContaining({ code: 'RTMP_HANDSHAKE_VERSION' }),
    )
  })

  it('takes an empty push for nothing', () => {
    const server = new ServerHandshake()
    expect(server.push(Buffer.alloc(0))).toEqual({ output: null, rest: null })
    expect(server.kind).toBeNull()
  })
})

describe('ClientHandshake', () => {
  it.each<[HandshakeKind, HandshakeKind]>([
    ['complex', 'complex'],
    ['simple', 'simple'],
  ])('that offers %s agrees with the server on %s', (kind, agreed) => {
    const server = new ServerHandshake()
    const client = new ClientHandshake({ kind })
    const greeting = server.push(client.start()).output!
    const { output } = client.push(greeting)
    expect(client.done).toBe(true)
    expect(client.kind).toBe(agreed)
    expect(server.push(output!)).toEqual({ output: null, rest: null })
    expect(server.done).toBe(true)
    expect(server.kind).toBe(agreed)
  })

  it('offers the complex handshake unless told otherwise', () => {
    const start = new ClientHandshake().start()
    expect(start.length).toBe(1537)
    expect(start[0]).toBe(3)
    expect(findDigest(start.subarray(1), clientKey)).not.toBeNull()
  })

  it('sends C2 as soon as S1 is there, signed for it', () => {
    const server = new ServerHandshake()
    const client = new ClientHandshake()
    const greeting = server.push(client.start()).output!
    const { output } = client.push(greeting.subarray(0, 1537))
    const digest = findDigest(greeting.subarray(1, 1537), serverKey)!.digest
    expect(isSigned(output!, clientKey, digest)).toBe(true)
    expect(client.done).toBe(false)
    expect(client.push(greeting.subarray(1537))).toEqual({ output: null, rest: null })
    expect(client.done).toBe(true)
  })

  it.each(sizes)('takes S0, S1, S2 and what follows in pieces of %i bytes', (size) => {
    const server = new ServerHandshake()
    const client = new ClientHandshake()
    const answer = server.push(client.start()).output!
    const { output, rest } = pushAll(client, Buffer.concat([answer, Buffer.from('chunks')]), size)
    expect(output.length).toBe(packetSize)
    expect(rest.toString()).toBe('chunks')
  })

  it('accepts a server that only sends back what it got, as old ones do', () => {
    const client = new ClientHandshake()
    const start = client.start()
    const { output } = client.push(Buffer.concat([start, start.subarray(1)]))
    expect(client.kind).toBe('simple')
    expect(client.done).toBe(true)
    expect(output).toEqual(start.subarray(1))
  })

  it('does not look at the S2 of a simple server', () => {
    const client = new ClientHandshake()
    client.push(Buffer.concat([Buffer.of(3), Buffer.alloc(2 * packetSize)]))
    expect(client.done).toBe(true)
  })

  it('refuses a signed S1 with an S2 that does not answer its C1', () => {
    const client = new ClientHandshake()
    const answerToAnother = new ServerHandshake().push(new ClientHandshake().start()).output!
    expect(() => client.push(answerToAnother)).toThrowError(
      expect.objectContaining({ code: 'RTMP_HANDSHAKE_DIGEST' }),
    )
  })

  it('refuses another version at the first byte', () => {
    expect(() => new ClientHandshake().push(Buffer.of(6))).toThrowError(
      expect.objectContaining({ code: 'RTMP_HANDSHAKE_VERSION' }),
    )
  })
})
