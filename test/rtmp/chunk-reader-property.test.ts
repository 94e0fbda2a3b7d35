import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WeirError } from '../../src/base/errors.ts'
import { type ChunkLimits, ChunkReader } from '../../src/rtmp/chunk-reader.ts'
import { encodeMessage } from '../../src/rtmp/chunk-writer.ts'
import { encodeSetChunkSize } from '../../src/rtmp/control.ts'
import type { RtmpMessage } from '../../src/rtmp/message.ts'
import { ChunkEncoder } from './chunk-encoder.ts'

const limits: ChunkLimits = { maxMessageSize: 8 << 20, maxPartialBytes: 16 << 20, maxChunkStreams: 64 }

/** Cuts bytes into pieces of the given sizes, over and over. */
function* split(wire: Buffer, sizes: readonly number[]): Generator<Buffer> {
  let at = 0
  for (let i = 0; at < wire.length; i++) {
    const size = sizes[i % sizes.length]!
    yield wire.subarray(at, at + size)
    at += size
  }
}

function read(wire: Buffer, sizes: readonly number[]): RtmpMessage[] {
  const messages: RtmpMessage[] = []
  const reader = new ChunkReader(limits, (message) => messages.push(message))
  for (const piece of split(wire, sizes)) reader.push(piece)
  return messages
}

const splits = fc.array(fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 400 })), {
  minLength: 1,
  maxLength: 8,
})

const chunkStreamIds = [3, 4, 63, 64, 319, 320, 65599]
/** Steps of a clock, among them ones that need an extended timestamp, go back, or come near the wrap. */
const steps = [0, 1, 23, 40, 0xfffffe, 0xffffff, 0x1000000, 0x01020304, 0x7fffffff, -1, -0x1000000]
const bodyLengths = [0, 1, 2, 3, 4, 5, 7, 40, 130]

/** What a peer does next on one of its chunk streams; numbers are indexes into the lists above. */
const action = fc.record({
  stream: fc.nat(chunkStreamIds.length - 1),
  format: fc.nat(3),
  step: fc.nat(steps.length - 1),
  length: fc.nat(bodyLengths.length - 1),
  type: fc.constantFrom(8, 9, 18, 20),
  streamId: fc.constantFrom(0, 1, 1, 1, 0xfffffffe),
  /** Which bytes of its own extended timestamp the body is mixed from; 4 and 5 are foreign to it. */
  mix: fc.array(fc.nat(5), { minLength: 1, maxLength: 6 }),
  aside: fc.oneof(
    { weight: 8, arbitrary: fc.constant(null) },
    { weight: 1, arbitrary: fc.constant('abort' as const) },
    { weight: 1, arbitrary: fc.constantFrom(1, 2, 3, 5, 64, 128, 60000) },
  ),
})
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

/** Bytes that often agree with the first bytes of an extended timestamp. */
function confusingBody(time: number, length: number, mix: readonly number[]): Buffer {
  const bytes = [time >>> 24, (time >> 16) & 0xff, (time >> 8) & 0xff, time & 0xff, 0x55, 0xc4]
  return Buffer.from(Array.from({ length }, (_, i) => bytes[mix[i % mix.length]!]!))
}

/** Sends what the actions say and returns the wire with the messages on it, in the order of their ends. */
function play(actions: readonly Action[], encoder: ChunkEncoder): RtmpMessage[] {
  const ended: RtmpMessage[] = []
  const current = new Map<number, RtmpMessage>()
  const clocks = new Map<number, number>()
  const proceed = (id: number) => {
    if (encoder.proceed(id)) ended.push(current.get(id)!)
  }
  for (const next of actions) {
    const id = chunkStreamIds[next.stream]!
    if (next.aside === 'abort') encoder.abort(id)
    else if (next.aside !== null) encoder.setChunkSize(next.aside)
    if (encoder.isSending(id)) {
      proceed(id)
      continue
    }
    const step = steps[next.step]!
    const timestamp = ((clocks.get(id) ?? 0) + step) >>> 0
    clocks.set(id, timestamp)
    const body = confusingBody(timestamp, bodyLengths[next.length]!, next.mix)
    const message = { type: next.type, timestamp, streamId: next.streamId, body }
    current.set(id, message)
    if (encoder.begin(id, message, next.format)) ended.push(message)
  }
  for (const id of chunkStreamIds) {
    while (encoder.isSending(id)) proceed(id)
  }
  // Where an extended timestamp is left out, the last bytes may be ambiguous until more follow.
  const last = { type: 9, timestamp: 0, streamId: 1, body: Buffer.from('the end') }
  encoder.begin(5, last, 0)
  while (encoder.isSending(5)) encoder.proceed(5)
  return [...ended, last]
}

describe('ChunkReader', () => {
  it.each([true, false])('reads all that a peer may send, extended timestamps repeated: %s', (repeats) => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), splits, (actions, sizes) => {
        const encoder = new ChunkEncoder({ repeatsExtendedTimestamp: repeats })
        const messages = play(actions, encoder)
        fc.pre(!encoder.ambiguous)
        expect(read(encoder.wire, sizes)).toEqual(messages)
      }),
      { numRuns: 400 },
    )
  })

  it('reads back what the writer wrote, at any chunk size', () => {
    const message = fc.record({
      chunkStreamId: fc.constantFrom(...chunkStreamIds),
      type: fc.constantFrom(8, 9, 18, 20, 22),
      streamId: fc.nat(0xffffffff),
      timestamp: fc.oneof(fc.nat(0xffffff), fc.integer({ min: 0xffffff, max: 0xffffffff })),
      body: fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
    })
    const chunkSize = fc.oneof(fc.integer({ min: 1, max: 600 }), fc.constant(0x7fffffff))
    fc.assert(
      fc.property(fc.array(message, { maxLength: 10 }), chunkSize, splits, (messages, size, sizes) => {
        const wire = [encodeSetChunkSize(size, 128)]
        for (const { body, ...header } of messages) wire.push(encodeMessage(header, body, size))
        const expected = messages.map(({ chunkStreamId: _, ...rest }) => rest)
        expect(read(Buffer.concat(wire), sizes)).toEqual(expected)
      }),
      { numRuns: 200 },
    )
  })

  /** Reads until the end or an error, which must be one of the wire's own. */
  function survive(wire: Buffer, sizes: readonly number[]): void {
    let delivered = 0
    const reader = new ChunkReader(limits, (message) => {
      delivered += message.body.length
    })
    let pushed = 0
    try {
      for (const piece of split(wire, sizes)) {
        pushed += piece.length
        reader.push(piece)
      }
    } catch (error) {
      if (!(error instanceof WeirError) || !error.code.startsWith('RTMP_')) throw error
    }
    expect(delivered).toBeLessThanOrEqual(pushed)
  }

  it('answers random bytes with messages or an error of the wire', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), splits, (bytes, sizes) =>
        survive(Buffer.from(bytes), sizes),
      ),
      {
        numRuns: 300,
      },
    )
  })

  it('answers mutated chunks with messages or an error of the wire', () => {
    const mutation = fc.record({ at: fc.nat(), byte: fc.nat(255), cut: fc.boolean() })
    const mutations = fc.array(mutation, { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), mutations, splits, (actions, changes, sizes) => {
        const encoder = new ChunkEncoder({ repeatsExtendedTimestamp: true })
        play(actions, encoder)
        let wire = encoder.wire
        for (const { at, byte, cut } of changes) {
          const place = at % wire.length
          if (cut) wire = Buffer.concat([wire.subarray(0, place), wire.subarray(place + 1)])
          else wire[place] = byte
        }
        survive(wire, sizes)
      }),
      { numRuns: 300 },
    )
  })
})
