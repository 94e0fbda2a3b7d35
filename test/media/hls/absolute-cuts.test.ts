import { describe, expect, test } from 'vitest'
import { absoluteMs } from '../../../src/media/hls/absolute-cuts.ts'
import { Segmenter, type SegmenterOptions } from '../../../src/media/hls/segmenter.ts'
import { isKeyFrame, type Packet } from '../../../src/media/packet.ts'
import { aacFrame, aacHeader, avcFrame, avcHeader } from '../ts/packets.ts'
import { type RecordedSegment, RecordedSegments } from './recorded-segments.ts'

/** When encoders of these tests begin, in milliseconds since 1970. */
const beganMs = 1_700_000_000_700
const headers = [avcHeader(), aacHeader()]

describe('an absolute timestamp', () => {
  test.each([
    ['the clock itself', 0],
    ['a clock that is behind', -5000],
    ['one that is ahead by days', 10 * 86_400_000],
  ])('of %s means its time', (_what, differenceMs) => {
    const encoderMs = beganMs + differenceMs
    for (const wrapMs of [2 ** 31, 2 ** 32]) {
      expect(absoluteMs(encoderMs % wrapMs, beganMs)).toBe(encoderMs)
      expect(absoluteMs(encoderMs % wrapMs, beganMs + 3600_000)).toBe(encoderMs)
    }
  })

  test('that counts from anything means one time, whoever is asked and when', () => {
    const at = absoluteMs(123_456, beganMs)
    expect(Math.abs(at - beganMs)).toBeLessThanOrEqual(2 ** 30)
    expect(absoluteMs(123_456 + 5000, beganMs + 5000 + 100)).toBe(at + 5000)
  })
})

interface Shape {
  readonly gopMs?: number
  readonly video?: boolean
}

/** An encoder's stream from its beginning for so long, at 25 frames a second, with the time of day as timestamps. */
function encoder(lengthMs: number, { gopMs = 1000, video = true }: Shape = {}): Packet[] {
  const packets: Packet[] = []
  for (let at = 0; at < lengthMs; at += 40) {
    const timestamp = (beganMs + at) % 2 ** 32
    if (video) packets.push(avcFrame(at % gopMs === 0, timestamp))
    packets.push(aacFrame(timestamp + 15), aacFrame(timestamp + 35))
  }
  return packets
}

/** The wall clock when a packet comes: of one server, which is so many milliseconds wrong. */
const clockAt = ({ timestamp }: Packet, wrongMs: number): number => absoluteMs(timestamp, beganMs) + wrongMs

function server(options: Partial<SegmenterOptions> = {}, wrongMs = 0) {
  const output = new RecordedSegments()
  const lost: string[] = []
  let isAbsolute = true
  const segmenter = new Segmenter(
    output,
    {
      fragmentMs: 2000,
      overdueRatio: 2,
      waitKeyFrame: true,
      floor: false,
      video: true,
      audio: true,
      ...options,
    },
    (reason) => expect.unreachable(reason),
    { isOn: () => isAbsolute, onLost: (reason) => lost.push(reason) },
  )
  return {
    output,
    lost,
    segmenter,
    setAbsolute: (value: boolean): void => {
      isAbsolute = value
    },
    publish(packets: readonly Packet[], first: readonly Packet[] = headers): void {
      segmenter.restart()
      for (const packet of [
        ...first.map((header) => ({ ...header, timestamp: packets[0]!.timestamp })),
        ...packets,
      ]) {
        segmenter.push(packet, clockAt(packet, wrongMs))
      }
      segmenter.idle()
    },
  }
}

/** What a segment is for whoever plays it: its bytes without the continuity counters. */
function essence({ bytes, sequence, atMs, timestamp, durationMs }: RecordedSegment) {
  const plain = Buffer.from(bytes)
  for (let at = 3; at < plain.length; at += 188) plain[at] = plain[at]! & 0xf0
  return { sequence, atMs, timestamp, durationMs, content: plain.toString('base64') }
}

/** The segments of a server that are whole: the last one ends where its test does. */
const whole = ({ segments }: RecordedSegments) => segments.slice(0, -1).map(essence)

describe('two servers that one encoder feeds', () => {
  test.each<[string, Shape, Partial<SegmenterOptions>]>([
    ['with video and audio', {}, {}],
    ['with few key frames', { gopMs: 2000 }, { fragmentMs: 3000 }],
    ['with many', { gopMs: 40 }, {}],
    ['with audio alone', { video: false }, {}],
    ['with hls_ts_floor', {}, { floor: true }],
    ['without hls_wait_keyframe', {}, { waitKeyFrame: false }],
  ])('have the same segments from whenever each began: %s', (_what, shape, options) => {
    const stream = encoder(30_000, shape)
    const early = server(options)
    const first = shape.video === false ? [aacHeader()] : headers
    early.publish(stream, first)
    const expected = whole(early.output)
    expect(expected.length).toBeGreaterThan(8)
    expect(expected.map(({ sequence }) => sequence! - expected[0]!.sequence!)).toEqual(
      expected.map((_, n) => n),
    )
    // At a key frame, in a GOP, in audio: with a clock that is wrong, too.
    for (const from of [1, 7, 50, 75, 101, 222, 300]) {
      const late = server(options, from * 1000)
      late.publish(stream.slice(from), first)
      const got = whole(late.output)
      expect(got.length).toBeGreaterThan(3)
      expect(got).toEqual(expected.slice(-got.length))
      expect(late.output.segments[0]!.discontinuity).toBe(true)
      expect([early.lost, late.lost]).toEqual([[], []])
    }
  })

  test('number by the time of the stream', () => {
    const { publish, output } = server()
    publish(encoder(10_000))
    const [first] = output.segments
    // The first key frame of the first period that began after the stream had.
    expect(first).toMatchObject({ atMs: beganMs + 2000, sequence: Math.floor((beganMs + 2000) / 2000) })
    expect(output.durations).toEqual([2000, 2000, 2000, 2000])
  })

  test('agree over a wrap of the timestamps', () => {
    const shift = 2 ** 31 - (beganMs % 2 ** 31) - 10_300
    const wrapping = encoder(30_000).map((packet) => ({
      ...packet,
      timestamp: (packet.timestamp + shift) % 2 ** 31,
    }))
    const [early, late] = [server(), server()]
    early.publish(wrapping)
    late.publish(wrapping.filter(({ timestamp }) => timestamp < 2 ** 30))
    const got = whole(late.output)
    expect(got.length).toBeGreaterThan(5)
    expect(got).toEqual(whole(early.output).slice(-got.length))
  })

  test('agree again when the encoder comes back to one of them', () => {
    const stream = encoder(30_000)
    const [steady, other] = [server(), server()]
    steady.publish(stream)
    other.publish(stream.slice(0, 600))
    other.publish(stream.slice(900))
    const numbers = other.output.segments.map(({ sequence }) => sequence)
    expect(new Set(numbers).size).toBe(numbers.length)
    const back = other.output.segments.filter(({ atMs }) => atMs > beganMs + 12_000).slice(0, -1)
    expect(back[0]!.discontinuity).toBe(true)
    expect(back.map(essence)).toEqual(whole(steady.output).slice(-back.length))
  })
})

describe('a stream that cannot be numbered so', () => {
  test('for its key frames are too far apart is numbered on, and that is told once', () => {
    const { publish, output, lost } = server()
    publish(encoder(30_000, { gopMs: 3000 }))
    const [first, second, ...rest] = output.segments
    expect([first!.sequence, second!.sequence]).toEqual([expect.any(Number), null])
    expect(rest.every(({ sequence }) => sequence === null)).toBe(true)
    expect(lost).toEqual(['key frames are further apart than hls_fragment'])
  })

  test('for it has none begins without, when it has waited', () => {
    const { publish, output, lost } = server()
    publish(encoder(30_000).filter((packet) => !isKeyFrame(packet)))
    expect(lost).toEqual(['no key frame comes that a segment could begin with'])
    expect(output.segments.length).toBeGreaterThan(3)
    expect(output.segments.every(({ sequence }) => sequence === null)).toBe(true)
  })

  test('for atc was turned off is numbered on', () => {
    const { publish, output, setAbsolute, segmenter } = server()
    const stream = encoder(20_000)
    segmenter.restart()
    for (const [index, packet] of [...headers, ...stream].entries()) {
      if (index === 700) setAbsolute(false)
      segmenter.push(packet, clockAt(packet, 0))
    }
    segmenter.idle()
    const numbered = output.segments.map(({ sequence }) => sequence !== null)
    expect(numbered.lastIndexOf(true)).toBe(numbered.indexOf(false) - 1)
    expect(output.durations.every((duration) => duration <= 2000)).toBe(true)
    publish(encoder(10_000))
  })
})

test('when atc is turned on a stream is numbered so from its jump on', () => {
  const { output, setAbsolute, segmenter } = server()
  setAbsolute(false)
  segmenter.restart()
  const before = encoder(6000).map((packet) => ({
    ...packet,
    timestamp: packet.timestamp - (beganMs % 2 ** 32),
  }))
  for (const packet of [...headers, ...before]) segmenter.push(packet, beganMs + packet.timestamp)
  setAbsolute(true)
  for (const packet of encoder(12_000).slice(450)) segmenter.push(packet, clockAt(packet, 0))
  segmenter.idle()
  const numbers = output.segments.map(({ sequence }) => sequence)
  const first = Math.floor((beganMs + 8000) / 2000)
  expect(numbers).toEqual([null, null, null, first, first + 1])
  expect(output.segments[3]).toMatchObject({ discontinuity: true, atMs: beganMs + 8000 })
})
