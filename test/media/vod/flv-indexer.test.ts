import { describe, expect, test } from 'vitest'
import { readCodedBody } from '../../../src/media/coded-body.ts'
import { audioType, isHeader, type Packet, videoType } from '../../../src/media/packet.ts'
import {
  aacFrame,
  aacHeader,
  avcConfig,
  avcFrame,
  avcHeader,
  mp3Frame,
  packetOf,
  slice,
} from '../ts/packets.ts'
import { flvFile, indexOf, samplesOf } from './flv-files.ts'

/** Frames of both tracks: video each 40 ms with a key frame each second, audio each 20 ms. */
function frames(fromMs: number, toMs: number, offsetMs = 0): Packet[] {
  const packets: Packet[] = []
  for (let time = fromMs; time < toMs; time += 20) {
    const timestamp = (time + offsetMs) % 2 ** 32
    if (time % 40 === 0) packets.push(avcFrame(time % 1000 === 0, timestamp, { compositionMs: 80 }))
    packets.push(aacFrame(timestamp, 50 + (time % 7)))
  }
  return packets
}

function durations(packets: readonly Packet[], fragmentMs = 2000): number[] {
  return indexOf(flvFile(packets), fragmentMs).segments.map(({ durationMs }) => durationMs)
}

/** The payload of each frame. */
function payloads(packets: readonly Packet[]): string[] {
  return packets
    .filter((packet) => !isHeader(packet))
    .map(({ type, body }) => {
      const { start, end } = readCodedBody(type, body)!
      return body.toString('hex', start, end)
    })
}

describe('a recording', () => {
  const packets = [avcHeader(), aacHeader(), ...frames(0, 7000)]

  test('is cut at the first key frame that comes when a segment is long enough', () => {
    expect(durations(packets)).toEqual([2000, 2000, 2000, 1000])
    expect(durations(packets, 1500)).toEqual([2000, 2000, 2000, 1000])
    expect(durations(packets, 60_000)).toEqual([7000])
  })

  test('has each frame in one segment, in its order and at its time', () => {
    const file = flvFile(packets)
    const index = indexOf(file, 2000)
    const samples = samplesOf(file, index)
    expect(samples.flat().map(({ body, start, end }) => body.toString('hex', start, end))).toEqual(
      payloads(packets),
    )
    expect(
      samples.map(([first]) => [first?.track, first?.isKey, first?.decodeMs, first?.presentationMs]),
    ).toEqual([0, 2000, 4000, 6000].map((time) => ['video', true, time, time + 80]))
    for (const [at, own] of samples.entries()) {
      const { videoFrames, audioFrames, frameBytes } = index.segments[at]!
      expect(own.filter(({ track }) => track === 'video')).toHaveLength(videoFrames)
      expect(own.filter(({ track }) => track === 'audio')).toHaveLength(audioFrames)
      expect(own.reduce((sum, { start, end }) => sum + end - start, 0)).toBe(frameBytes)
    }
  })

  test.each([
    ['31 bits', 2 ** 31],
    ['32 bits', 2 ** 32],
  ])('goes on where its timestamps wrap at %s', (_, wrap) => {
    const wrapped = [avcHeader(), aacHeader(), ...frames(0, 7000, wrap - 3000)].map((packet) => ({
      ...packet,
      timestamp: packet.timestamp % wrap,
    }))
    const file = flvFile(wrapped)
    const index = indexOf(file, 2000)
    expect(index.periods).toHaveLength(1)
    expect(index.segments.map(({ durationMs }) => durationMs)).toEqual([2000, 2000, 2000, 1000])
    const times = samplesOf(file, index)
      .flat()
      .map(({ decodeMs }) => decodeMs)
    // The headers at 0 are no frames: time begins with the first of these.
    expect(times.map((time) => time - times[0]!)).toEqual(frames(0, 7000).map(({ timestamp }) => timestamp))
  })

  test('that was cut off within a tag ends with the last whole one', () => {
    const file = flvFile(packets)
    expect(indexOf(file.subarray(0, file.length - 10), 2000).segments).toHaveLength(4)
  })

  test('without video is cut at any frame', () => {
    const sound = [aacHeader(), ...Array.from({ length: 250 }, (_, index) => aacFrame(index * 20))]
    expect(durations(sound)).toEqual([2000, 2000, 1000])
  })

  test('of MP3 needs no header', () => {
    const sound = Array.from({ length: 100 }, (_, index) => mp3Frame(index * 26))
    const file = flvFile(sound)
    const index = indexOf(file, 1000)
    expect(index.periods).toMatchObject([{ video: null, audio: { codec: 'MP3' } }])
    expect(samplesOf(file, index).flat()).toHaveLength(100)
  })

  test('without key frames is cut at any frame when it is overdue', () => {
    const video = Array.from({ length: 200 }, (_, index) => avcFrame(index === 0, index * 1000))
    expect(durations([avcHeader(), ...video])).toEqual([60_000, 60_000, 60_000, 20_000])
  })

  test('whose sound begins later announces it from the beginning', () => {
    const index = indexOf(flvFile([avcHeader(), avcFrame(true, 0), aacHeader(), ...frames(1000, 3000)]), 1000)
    expect(index.periods).toMatchObject([{ video: { codec: 'H264' }, audio: { codec: 'AAC' } }])
  })

  test('leaves out what comes before its header, and counts none of it', () => {
    const file = flvFile([aacHeader(), avcFrame(true, 0), aacFrame(0), avcHeader(), ...frames(1000, 3000)])
    const index = indexOf(file, 60_000)
    expect(index.segments).toMatchObject([{ videoFrames: 50, audioFrames: 101 }])
    expect(samplesOf(file, index).flat()).toHaveLength(151)
  })

  test('names what it leaves out', () => {
    const av1 = packetOf(videoType, 0, '90', Buffer.from('av01'), '81000c00')
    expect(indexOf(flvFile([av1, aacHeader(), aacFrame(0)]), 2000).leftOut).toEqual([
      'video: AV1 has no place in a segment',
    ])
    const speex = packetOf(audioType, 0, 'b6 0102')
    const { segments, leftOut } = indexOf(flvFile([speex]), 2000)
    expect({ segments, leftOut }).toEqual({
      segments: [],
      leftOut: ['audio: Speex has no place in a segment'],
    })
  })
})

describe('another period begins', () => {
  test('with another configuration, at its first frame', () => {
    const other = Buffer.from(avcConfig)
    other[other.length - 1]! ^= 1
    const packets = [
      avcHeader(),
      aacHeader(),
      ...frames(0, 3000),
      { ...avcHeader(other), timestamp: 3000 },
      { ...aacHeader('1190'), timestamp: 3000 },
      ...frames(3000, 5000),
    ]
    const file = flvFile(packets)
    const index = indexOf(file, 2000)
    expect(index.periods).toHaveLength(2)
    expect(index.segments.map(({ period, durationMs }) => [period, durationMs])).toEqual([
      [0, 2000],
      // The last frame before it ends where the next one would begin.
      [0, 1000],
      [1, 2000],
    ])
    expect(samplesOf(file, index).flat()).toHaveLength(payloads(packets).length)
  })

  test('not with the same configuration again', () => {
    const packets = [
      avcHeader(),
      aacHeader(),
      ...frames(0, 3000),
      avcHeader(),
      aacHeader(),
      ...frames(3000, 5000),
    ]
    const { periods, segments } = indexOf(flvFile(packets), 2000)
    expect(periods).toHaveLength(1)
    expect(segments).toHaveLength(3)
  })

  test.each([
    ['ahead', 60_000],
    ['back', -60_000],
  ])('where the time jumps %s', (_, jumpMs) => {
    const packets = [
      avcHeader(),
      aacHeader(),
      ...frames(100_000, 103_000),
      ...frames(103_000, 105_000, jumpMs),
    ]
    const file = flvFile(packets)
    const index = indexOf(file, 2000)
    expect(index.segments.map(({ period, durationMs }) => [period, durationMs])).toEqual([
      [0, 2000],
      [0, 1000],
      [1, 2000],
    ])
    const samples = samplesOf(file, index)
    expect(samples.flat().map(({ decodeMs }) => decodeMs)).toEqual(
      packets.slice(2).map(({ timestamp }) => timestamp),
    )
  })
})

test('a frame without anything in it is none', () => {
  const empty = packetOf(videoType, 40, '27 01 000000')
  const packets = [avcHeader(), avcFrame(true, 0), empty, avcFrame(false, 80, { units: [slice(0x41, 5)] })]
  expect(indexOf(flvFile(packets), 2000).segments).toMatchObject([{ videoFrames: 2, durationMs: 160 }])
})
