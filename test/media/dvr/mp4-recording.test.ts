import { describe, expect, test } from 'vitest'
import { readMp4Head } from '../../../src/media/dvr/mp4-head.ts'
import { Mp4Recording, type Mp4Tracks, mp4Tracks } from '../../../src/media/dvr/mp4-recording.ts'
import { Mp4Scan } from '../../../src/media/dvr/mp4-scan.ts'
import type { ByteSink } from '../../../src/media/dvr/recording.ts'
import type { Packet } from '../../../src/media/packet.ts'
import { avcSamples } from '../avc-samples.ts'
import { hex } from '../bytes.ts'
import { find, readBoxes } from '../mp4/boxes.ts'
import {
  aacFrame,
  aacHeader,
  avcFrame,
  avcHeader,
  mp3Frame,
  packetOf,
  slice,
  withStartCodes,
} from '../ts/packets.ts'

const video = avcHeader(hex(avcSamples[0]!.config))
const audio = aacHeader()
const start = { vhost: 'v', app: 'live', stream: 'show', startedAtMs: 1_700_000_000_000 }

/** Keeps all bytes. */
function collectingSink(): ByteSink & { readonly bytes: Buffer } {
  let buffer = Buffer.alloc(0)
  let length = 0
  return {
    get length() {
      return length
    },
    get bytes() {
      return buffer.subarray(0, length)
    },
    reserve(size) {
      if (length + size > buffer.length) buffer = Buffer.concat([buffer, Buffer.alloc(size)])
      return buffer
    },
    advance(end) {
      length = end
    },
  }
}

function tracksOf(
  first: readonly Packet[],
  packets = { video, audio } as Parameters<typeof mp4Tracks>[0],
): Mp4Tracks {
  const found = mp4Tracks(packets, first)
  if (!('leftOut' in found)) throw new Error('no tracks')
  return found
}

function record(packets: readonly Packet[], capacity = 10) {
  const sink = collectingSink()
  const recording = Mp4Recording.begin(sink, start, tracksOf(packets), capacity)
  for (const packet of packets) recording.frame(packet, packet.timestamp)
  recording.flush()
  const head = recording.head()
  return {
    recording,
    head,
    file: Buffer.concat([head, sink.bytes.subarray(head.length)]),
    written: sink.bytes,
  }
}

function frames(seconds: number, keyEachMs = 1000): Packet[] {
  return Array.from({ length: seconds * 25 }, (_, index) => index * 40).flatMap((time) => [
    avcFrame(time % keyEachMs === 0, time, { compositionMs: 80 }),
    aacFrame(time + 10),
  ])
}

function scan(file: Buffer) {
  const found = new Mp4Scan(file.subarray(0, 65_536), file.length)
  for (let at = found.next; at !== null; at = found.next)
    if (!found.push(file.subarray(at, at + 65_536))) break
  return found.finish()
}

describe('an MP4 recording', () => {
  test('is fragments that begin with key frames, behind a head that keeps its length', () => {
    const { file, written, recording, head } = record(frames(4))
    expect(written.length).toBe(file.length)
    expect(recording.bytes).toBe(file.length)
    expect(
      readBoxes(written)
        .map(({ type }) => type)
        .slice(0, 5),
    ).toEqual(['ftyp', 'uuid', 'moov', 'free', 'moof'])
    expect(readBoxes(file).map(({ type }) => type)).toEqual(
      ['ftyp', 'uuid', 'moov', 'sidx', 'free', ...Array(4).fill(['moof', 'mdat'])].flat(),
    )
    expect(find(file, 'moov', 'mvex', 'mehd').content.readUInt32BE(4)).toBe(4010)
    expect(readMp4Head(file)).toMatchObject({
      facts: { ...start, durationMs: 4010, video: 'H264', audio: 'AAC' },
      fileBytes: file.length,
      headBytes: head.length,
      sequence: 5,
    })
    const moofs = readBoxes(file).filter(({ type }) => type === 'moof')
    expect(readMp4Head(file)!.points).toEqual(moofs.map(({ at }, index) => ({ at, timeMs: index * 1000 })))
  })

  test('has all frames, with their times and what is added to them until they are shown', () => {
    const packets = frames(2)
    const { file } = record(packets)
    const [first] = readBoxes(file).filter(({ type }) => type === 'moof')
    const [ofVideo] = readBoxes(first!.content).filter(({ type }) => type === 'traf')
    const trun = find(ofVideo!.content, 'trun').content
    expect(trun.readUInt32BE(4)).toBe(25)
    const entries = Array.from({ length: 25 }, (_, index) => 12 + index * 16)
    expect(new Set(entries.map((at) => trun.readUInt32BE(at)))).toEqual(new Set([40]))
    expect(new Set(entries.map((at) => trun.readInt32BE(at + 12)))).toEqual(new Set([80]))
    const data = Buffer.concat(
      readBoxes(file).flatMap(({ type, content }) => (type === 'mdat' ? [content] : [])),
    )
    const payloads = packets.map(({ type, body }) => body.subarray(type === 9 ? 5 : 2))
    expect(data.length).toBe(payloads.reduce((sum, { length }) => sum + length, 0))
  })

  test('without key frames has fragments of a bounded length and size', () => {
    const { file } = record(frames(12, 1_000_000))
    expect(readBoxes(file).filter(({ type }) => type === 'moof')).toHaveLength(3)
    // Only the first can be begun with.
    expect(readMp4Head(file)!.points).toHaveLength(1)
    const large = Array.from({ length: 10 }, (_, index) => {
      return avcFrame(index === 0, index * 40, { units: [slice(0x41, 1_500_000)] })
    })
    expect(readBoxes(record(large).file).filter(({ type }) => type === 'moof').length).toBeGreaterThan(2)
  })

  test('of many fragments has an index over all of them, in the room that it has', () => {
    const { file } = record(frames(60), 10)
    const index = find(file, 'sidx').content
    const count = index.readUInt16BE(22)
    expect(count).toBeGreaterThan(4)
    const sizes = Array.from({ length: count }, (_, entry) => index.readUInt32BE(24 + entry * 12))
    const first = readBoxes(file).find(({ type }) => type === 'moof')!.at
    expect(first + sizes.reduce((sum, size) => sum + size, 0)).toBe(file.length)
    const durations = Array.from({ length: count }, (_, entry) => index.readUInt32BE(28 + entry * 12))
    expect(durations.reduce((sum, ms) => sum + ms, 0)).toBe(60_010)
  })

  test('goes on with a file of the same tracks, and with no other', () => {
    const { file } = record(frames(2))
    const head = readMp4Head(file)!
    const tracks = tracksOf(frames(1))
    expect(Mp4Recording.canContinue(tracks, head)).toBe(true)
    const other = { video: avcHeader(hex(avcSamples[3]!.config)), audio }
    expect(Mp4Recording.canContinue(tracksOf(frames(1), other), head)).toBe(false)
    const sink = collectingSink()
    const recording = Mp4Recording.continue(sink, tracks, head, 10)
    for (const packet of frames(1)) recording.frame(packet, head.facts.durationMs + packet.timestamp)
    recording.flush()
    const whole = Buffer.concat([recording.head(), file.subarray(head.headBytes), sink.bytes])
    expect(readBoxes(whole).filter(({ type }) => type === 'moof')).toHaveLength(3)
    expect(readMp4Head(whole)).toMatchObject({
      facts: { durationMs: 3020 },
      fileBytes: whole.length,
      sequence: 4,
    })
  })

  test('knows what has a place in it', () => {
    const { recording } = record(frames(1))
    expect(recording.fits(video)).toBe(true)
    expect(recording.fits(avcFrame(false, 0))).toBe(true)
    expect(recording.fits(avcHeader(hex(avcSamples[3]!.config)))).toBe(false)
    expect(recording.fits(aacHeader('1190'))).toBe(false)
    expect(recording.fits(mp3Frame(0))).toBe(false)
  })
})

describe('what of a stream an MP4 file can have', () => {
  test.each([
    [
      'H.264 behind start codes',
      { video, audio },
      [packetOf(9, 0, '17 01 000000', withStartCodes([slice(0x65, 9)]))],
    ],
    ['a configuration that is none', { video: avcHeader(hex('ff')), audio }, []],
    ['a codec that it has no place for', { video: packetOf(9, 0, '24 00'), audio }, []],
  ])('is not %s', (_name, packets, first) => {
    const tracks = tracksOf(first, packets)
    expect(tracks.period).toMatchObject({ video: null, audio: { codec: 'AAC' } })
    expect([...tracks.leftOut.keys()]).toEqual(['video'])
  })

  test('is MP3 by its first frame', () => {
    const { movie } = tracksOf([mp3Frame(0)], { video: null, audio: mp3Frame(0) })
    expect(movie.audio).toMatchObject({ codec: 'MP3', sampleRate: 44_100, channels: 2 })
  })
})

describe('a recording that was cut off', () => {
  test('is whole to its last whole fragment, wherever that was', () => {
    const { file, written, head } = record(frames(5))
    const ends = readBoxes(file).flatMap(({ type, at, content }) =>
      type === 'mdat' ? [at + 8 + content.length] : [],
    )
    for (const cut of [ends[0]! + 3, ends[1]! + 400, ends[2]!, ends[3]! - 1, ends[4]!]) {
      const whole = scan(written.subarray(0, cut))!
      const count = ends.filter((end) => end <= cut).length
      expect(whole.bytes).toBe(ends[count - 1])
      expect(whole.head.length).toBe(head.length)
      const recovered = Buffer.concat([whole.head, written.subarray(head.length, whole.bytes)])
      expect(readMp4Head(recovered)).toMatchObject({
        facts: { durationMs: count * 1000 + (count === 0 ? 0 : 10) },
        fileBytes: whole.bytes,
        sequence: count + 1,
      })
      expect(readMp4Head(recovered)!.points).toHaveLength(count)
    }
  })

  test('of all of it is as it was when it was finished', () => {
    const { file, written } = record(frames(5))
    const whole = scan(written)!
    expect(Buffer.concat([whole.head, written.subarray(whole.head.length)]).equals(file)).toBe(true)
  })

  test('before its first whole fragment is nothing, and so is what is no recording', () => {
    const { written, head } = record(frames(2))
    expect(scan(written.subarray(0, head.length + 20))).toBeNull()
    expect(scan(written.subarray(0, 100))).toBeNull()
    expect(scan(Buffer.alloc(100_000))).toBeNull()
  })
})
