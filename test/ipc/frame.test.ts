import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/base/errors.ts'
import {
  controlKind,
  FrameDecoder,
  maxFrameBytes,
  mediaKind,
  mediaOverhead,
  writeControlFrame,
  writeMediaFrame,
} from '../../src/ipc/frame.ts'
import { audioType, dataType, videoType } from '../../src/media/packet.ts'

/** What a decoder delivered; bodies are copied, since they are valid during the call only. */
type Delivered =
  | { control: Buffer }
  | { source: number; type: number; flags: number; timestamp: number; body: Buffer }

function decoderInto(delivered: Delivered[]): FrameDecoder {
  return new FrameDecoder({
    onControl: (payload) => delivered.push({ control: Buffer.from(payload) }),
    onMedia: (source, type, flags, timestamp, body) =>
      delivered.push({ source, type, flags, timestamp, body: Buffer.from(body) }),
  })
}

function decoded(...pieces: Buffer[]): Delivered[] {
  const delivered: Delivered[] = []
  const decoder = decoderInto(delivered)
  for (const piece of pieces) decoder.push(piece)
  return delivered
}

function mediaFrame(source: number, type: number, flags: number, timestamp: number, body: Buffer): Buffer {
  const frame = Buffer.alloc(mediaOverhead + body.length)
  expect(writeMediaFrame(frame, 0, source, type, flags, timestamp, body)).toBe(frame.length)
  return frame
}

function controlFrame(payload: Buffer): Buffer {
  const frame = Buffer.alloc(5 + payload.length)
  expect(writeControlFrame(frame, 0, payload)).toBe(frame.length)
  return frame
}

function lengthField(length: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(length)
  return bytes
}

const uint32 = fc.nat(2 ** 32 - 1)
const payload = fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes))

/** A frame and what it decodes to. */
const frame: fc.Arbitrary<[Buffer, Delivered]> = fc.oneof(
  payload.map((control): [Buffer, Delivered] => [controlFrame(control), { control }]),
  fc
    .tuple(uint32, fc.constantFrom(audioType, videoType, dataType), fc.nat(255), uint32, payload)
    .map(([source, type, flags, timestamp, body]): [Buffer, Delivered] => [
      mediaFrame(source, type, flags, timestamp, body),
      { source, type, flags, timestamp, body },
    ]),
)

/** Cuts bytes at places given as shares of their length. */
function cut(bytes: Buffer, shares: readonly number[]): Buffer[] {
  const places = [...shares.map((share) => Math.floor(share * bytes.length)), bytes.length].sort(
    (a, b) => a - b,
  )
  return places.map((end, index) => bytes.subarray(index === 0 ? 0 : places[index - 1], end))
}

const share = fc.double({ min: 0, max: 1, noNaN: true })

describe('bytes', () => {
  test('of a media frame', () => {
    const bytes = mediaFrame(0x01020304, videoType, 3, 0xfffffffe, Buffer.from('abc'))
    expect(bytes.toString('hex')).toBe('0000000e' + '02' + '01020304' + '09' + '03' + 'fffffffe' + '616263')
  })

  test('of a control frame', () => {
    expect(controlFrame(Buffer.from('abc')).toString('hex')).toBe('00000004' + '01' + '616263')
  })

  test('are written where they should be', () => {
    const target = Buffer.alloc(40, 0xee)
    const end = writeControlFrame(target, 3, Buffer.from('abc'))
    writeMediaFrame(target, end, 7, audioType, 0, 5, Buffer.alloc(0))
    expect(target.subarray(0, 3).toString('hex')).toBe('eeeeee')
    expect(decoded(target.subarray(3, end + mediaOverhead))).toStrictEqual([
      { control: Buffer.from('abc') },
      { source: 7, type: audioType, flags: 0, timestamp: 5, body: Buffer.alloc(0) },
    ])
    expect(target[end + mediaOverhead]).toBe(0xee)
  })
})

describe('a stream of frames', () => {
  test('is the same wherever it is cut, also when the reader uses its buffer again', () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(share, { maxLength: 12 }), (frames, shares) => {
        const delivered: Delivered[] = []
        const decoder = decoderInto(delivered)
        const reused = Buffer.alloc(1000)
        for (const piece of cut(Buffer.concat(frames.map(([bytes]) => bytes)), shares)) {
          reused.fill(0xff)
          piece.copy(reused)
          decoder.push(reused.subarray(0, piece.length))
        }
        expect(delivered).toStrictEqual(frames.map(([, expected]) => expected))
      }),
      { numRuns: 300 },
    )
  })

  test('is the same byte by byte', () => {
    const bytes = Buffer.concat([
      controlFrame(Buffer.from('x')),
      mediaFrame(1, videoType, 1, 2, Buffer.from('yz')),
    ])
    expect(decoded(...Array.from(bytes, (byte) => Buffer.of(byte)))).toStrictEqual(decoded(bytes))
  })

  test('is delivered without a copy where a frame is whole', () => {
    const bytes = mediaFrame(1, videoType, 0, 0, Buffer.from('body'))
    let body: Buffer = Buffer.alloc(0)
    new FrameDecoder({
      onControl: () => {},
      onMedia: (_source, _type, _flags, _timestamp, view) => {
        body = view
      },
    }).push(bytes)
    expect(body.buffer).toBe(bytes.buffer)
    expect(body.byteOffset).toBe(bytes.byteOffset + mediaOverhead)
  })

  test('may hold a frame that is as long as allowed', () => {
    const decoder = decoderInto([])
    expect(() => decoder.push(lengthField(maxFrameBytes))).not.toThrow()
  })
})

describe('a frame is refused', () => {
  const empty = Buffer.alloc(0)
  test.each<[string, Buffer]>([
    ['of no length', lengthField(0)],
    ['one byte too long, before anything of it has come', lengthField(maxFrameBytes + 1)],
    ['of the largest length there is', lengthField(2 ** 32 - 1)],
    ['of kind 0', Buffer.concat([lengthField(1), Buffer.of(0)])],
    ['of an unknown kind', Buffer.concat([lengthField(3), Buffer.from('xyz')])],
    [
      'of media that ends in its header',
      Buffer.concat([lengthField(10), Buffer.of(mediaKind), Buffer.alloc(9)]),
    ],
  ])('%s', (_, bytes) => {
    for (const pieces of [[bytes], Array.from(bytes, (byte) => Buffer.of(byte))]) {
      expect(() => decoded(...pieces)).toThrow(expect.objectContaining({ code: 'IPC_FRAME' }))
    }
  })

  test('but not a control frame without a payload: what it means is not for the decoder to say', () => {
    expect(decoded(Buffer.concat([lengthField(1), Buffer.of(controlKind)]))).toStrictEqual([
      { control: empty },
    ])
  })

  test('with a code, whatever came', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }),
        fc.array(share, { maxLength: 4 }),
        (frames, changes, shares) => {
          const bytes = Buffer.concat(frames.map(([one]) => one))
          for (const [at, value] of changes) bytes[at % bytes.length] = value
          try {
            decoded(...cut(bytes, shares))
          } catch (error) {
            expect(error).toBeInstanceOf(WeirError)
            expect(error).toMatchObject({ code: 'IPC_FRAME' })
          }
        },
      ),
      { numRuns: 300 },
    )
  })
})
