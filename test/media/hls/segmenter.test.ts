import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Segmenter, type SegmenterOptions } from '../../../src/media/hls/segmenter.ts'
import { audioType, type Packet, videoType } from '../../../src/media/packet.ts'
import { hex } from '../bytes.ts'
import {
  aacFrame,
  aacHeader,
  avcConfig,
  avcFrame,
  avcHeader,
  avcPps,
  avcSps,
  mp3Frame,
  packetOf,
  slice,
  withStartCodes,
} from '../ts/packets.ts'
import { RecordedSegments } from './recorded-segments.ts'

const defaults: SegmenterOptions = {
  fragmentMs: 2000,
  overdueRatio: 2,
  waitKeyFrame: true,
  floor: false,
  video: true,
  audio: true,
}

const headers = [avcHeader(), aacHeader()]

function setUp(options: Partial<SegmenterOptions> = {}) {
  const output = new RecordedSegments()
  const unusable: string[] = []
  const segmenter = new Segmenter(output, { ...defaults, ...options }, (reason) => unusable.push(reason))
  const startMs = 1_700_000_000_000
  /** The wall clock goes with the stream's time, from a start on. */
  const push = (...packets: Packet[]): void => {
    for (const packet of packets) segmenter.push(packet, startMs + packet.timestamp)
  }
  const publish = (...packets: Packet[]): void => {
    segmenter.restart()
    push(...packets)
  }
  /** The segments, the last one too. */
  const finish = (): RecordedSegments => {
    segmenter.idle()
    return output
  }
  return { segmenter, output, unusable, push, publish, finish, startMs }
}

interface Shape {
  readonly gopMs?: number
  readonly video?: boolean
  readonly audio?: boolean
}

/** A stream at 25 frames a second, with an audio frame 20 ms behind each; times from..to in milliseconds. */
function stream(
  from: number,
  to: number,
  { gopMs = 1000, video = true, audio = true }: Shape = {},
): Packet[] {
  const packets: Packet[] = []
  for (let time = from; time < to; time += 40) {
    if (video) packets.push(avcFrame((time - from) % gopMs === 0, time))
    if (audio) packets.push(aacFrame(time + 20), aacFrame(time + 40))
  }
  return packets
}

/** For each segment the kinds of its streams (by type), and what its first PES packets are. */
function beginnings(output: RecordedSegments): string[] {
  return output.parsed().map(({ pats, pmts, pes }) => {
    expect([pats[0], pmts[0]?.packet]).toEqual([0, 1])
    const first = pes[0]!
    return first.pid === 0x101 ? 'audio' : first.randomAccess ? 'key frame' : 'inter frame'
  })
}

function tracksOf(output: RecordedSegments): number[][] {
  return output.parsed().map(({ pmts }) => pmts[0]!.streams.map(({ type }) => type))
}

describe('with video', () => {
  test('a segment begins at the first key frame when the one before is long enough', () => {
    const { publish, finish } = setUp({ fragmentMs: 2500 })
    publish(...headers, ...stream(0, 10_000))
    const output = finish()
    expect(output.durations).toEqual([3000, 3000, 3000, 1000])
    expect(new Set(beginnings(output))).toEqual(new Set(['key frame']))
    expect(output.segments.map(({ discontinuity }) => discontinuity)).toEqual([true, false, false, false])
  })

  test('a millisecond that rounding took does not make it wait for the next one', () => {
    const { publish, finish } = setUp()
    publish(avcHeader(), ...[0, 999, 1999, 2999, 3998].map((time) => avcFrame(true, time)))
    expect(finish().durations).toEqual([1999, 1999, 999])
  })

  test('everything that was sent is in a segment, once', () => {
    const { publish, finish } = setUp()
    const packets = stream(0, 6400)
    publish(...headers, ...packets)
    const pes = finish()
      .parsed()
      .flatMap((parsed) => parsed.pes)
    expect(pes.filter(({ pid }) => pid === 0x100)).toHaveLength(160)
    const sound = Buffer.concat(pes.filter(({ pid }) => pid === 0x101).map(({ data }) => data))
    expect(sound).toHaveLength(320 * 107)
  })

  test('what is no frame has no time', () => {
    const { publish, finish } = setUp()
    publish(
      ...headers,
      ...stream(0, 1000),
      packetOf(videoType, 1500, '17 02 000000'),
      packetOf(audioType, 1500, 'af01'),
    )
    expect(finish().durations).toEqual([1000])
  })

  test('audio that came before the key frame is in the segment before', () => {
    const { publish, finish } = setUp()
    publish(...headers, avcFrame(true, 0), aacFrame(1950), avcFrame(true, 2000), aacFrame(2010))
    const [first, second] = finish().parsed()
    expect(first!.pes.map(({ pts }) => pts / 90 - 1000)).toEqual([0, 1950])
    expect(second!.pes.map(({ pts }) => pts / 90 - 1000)).toEqual([2000, 2010])
  })

  test('a key frame that is overdue is not waited for: audio begins the segment', () => {
    const { publish, finish } = setUp({ overdueRatio: 1.5 })
    publish(...headers, ...stream(0, 10_000, { gopMs: 10_000 }))
    const output = finish()
    expect(output.durations).toEqual([3000, 3000, 3000, 1000])
    expect(beginnings(output)).toEqual(['key frame', 'inter frame', 'inter frame', 'inter frame'])
  })

  test('nor is it without audio', () => {
    const { publish, finish } = setUp({ overdueRatio: 1.5 })
    publish(avcHeader(), ...stream(0, 7000, { gopMs: 10_000, audio: false }))
    expect(finish().durations).toEqual([3000, 3000, 1000])
  })

  test('without hls_wait_keyframe any frame begins one', () => {
    const { publish, finish } = setUp({ waitKeyFrame: false })
    publish(...headers, ...stream(0, 5000, { gopMs: 10_000 }))
    expect(finish().durations).toEqual([2000, 2000, 1000])
  })

  test('changed settings hold for the running segment', () => {
    const { segmenter, push, publish, finish } = setUp()
    publish(...headers, ...stream(0, 1000))
    segmenter.options = { ...defaults, fragmentMs: 1000 }
    push(...stream(1000, 4000))
    expect(finish().durations).toEqual([1000, 1000, 1000, 1000])
  })
})

describe('without video', () => {
  test('any audio frame begins a segment', () => {
    const { publish, finish } = setUp()
    publish(aacHeader(), ...stream(0, 7000, { video: false }))
    const output = finish()
    expect(output.durations).toEqual([2000, 2000, 2000, 1000])
    expect(tracksOf(output)).toEqual([[0x0f], [0x0f], [0x0f], [0x0f]])
  })

  test('MP3 too', () => {
    const { publish, finish } = setUp()
    publish(...Array.from({ length: 100 }, (_, index) => mp3Frame(index * 26)))
    const output = finish()
    expect(output.durations).toEqual([2002, 598])
    expect(tracksOf(output)).toEqual([[3], [3]])
  })

  test('nor does a stream wait for a key frame whose camera was switched off', () => {
    const { publish, push, finish } = setUp()
    publish(...headers, ...stream(0, 2000), ...stream(2000, 8000, { video: false }))
    push(...stream(8000, 10_000))
    const output = finish()
    // The segment in which it was switched off waits for overdue, the next ones do not wait.
    expect(output.durations).toEqual([4000, 2000, 2000, 2000])
    expect(tracksOf(output)).toEqual(output.segments.map(() => [0x1b, 0x0f]))
    expect(output.segments.map(({ discontinuity }) => discontinuity)).toEqual([true, false, false, false])
  })

  test('hls_vcodec vn leaves the video out, hls_acodec an the audio', () => {
    const audio = setUp({ video: false })
    audio.publish(...headers, ...stream(0, 3000))
    expect(tracksOf(audio.finish())).toEqual([[0x0f], [0x0f]])
    const video = setUp({ audio: false })
    video.publish(...headers, ...stream(0, 3000))
    expect(tracksOf(video.finish())).toEqual([[0x1b], [0x1b]])
  })
})

describe('hls_ts_floor', () => {
  test('cuts at the first key frame of each period of the clock, and numbers the periods', () => {
    const { segmenter, finish } = setUp({ floor: true })
    segmenter.restart()
    // The stream begins 1.3 s into a period of 2 s.
    const base = 1_700_000_000_000 + 1300
    for (const packet of [...headers, ...stream(0, 7000)]) segmenter.push(packet, base + packet.timestamp)
    const output = finish()
    expect(output.durations).toEqual([1000, 2000, 2000, 2000])
    expect(output.segments.map(({ timestamp }) => timestamp - 850_000_000)).toEqual([0, 1, 2, 3])
  })

  test('no number comes twice', () => {
    const { publish, output, finish } = setUp({ floor: true })
    publish(...headers, ...stream(0, 400))
    publish(...headers, ...stream(400, 800))
    publish(...headers, ...stream(800, 1200))
    finish()
    expect(output.segments.map(({ timestamp }) => timestamp - 850_000_000)).toEqual([0, 1, 2])
  })

  test('otherwise segments have the time of their beginning', () => {
    const { publish, finish, startMs } = setUp()
    publish(...headers, ...stream(0, 4000))
    expect(finish().segments.map(({ atMs, timestamp }) => [atMs - startMs, timestamp - startMs])).toEqual([
      [0, 0],
      [2000, 2000],
    ])
  })
})

describe('the beginning', () => {
  test('frames that nothing can begin with are left out', () => {
    const { publish, finish } = setUp()
    publish(
      ...headers,
      avcFrame(false, 0),
      aacFrame(100),
      avcFrame(false, 400),
      aacFrame(580),
      avcFrame(true, 1000),
      aacFrame(1010),
    )
    const [only] = finish().parsed()
    expect(only!.pes.map(({ pts }) => pts / 90 - 1000).sort((a, b) => a - b)).toEqual([580, 1000, 1010])
  })

  test.each<[string, Packet[], number[]]>([
    ['audio first', [aacHeader(), aacFrame(0), avcHeader(), avcFrame(true, 30)], [0x1b, 0x0f]],
    ['video first', [avcHeader(), avcFrame(true, 0), aacHeader(), aacFrame(30)], [0x1b, 0x0f]],
    ['MP3 without a header', [avcHeader(), avcFrame(true, 0), mp3Frame(30)], [0x1b, 0x03]],
    [
      'audio before its header',
      [avcHeader(), avcFrame(true, 0), aacFrame(10), aacHeader(), aacFrame(30)],
      [0x1b, 0x0f],
    ],
    [
      'parameter sets in the key frame alone',
      [
        packetOf(videoType, 0, '17 01 000000', withStartCodes([avcSps, avcPps, slice(0x65, 99)])),
        aacHeader(),
        aacFrame(10),
      ],
      [0x1b, 0x0f],
    ],
  ])('waits for both tracks: %s', (_, packets, types) => {
    const { publish, finish } = setUp()
    publish(...packets)
    const output = finish()
    expect(tracksOf(output)).toEqual([types])
  })

  test('waits no longer than a second for one that does not come', () => {
    const { publish, push, output } = setUp({ fragmentMs: 480 })
    publish(avcHeader(), ...stream(0, 1000, { audio: false, gopMs: 480 }))
    expect(output.segments).toHaveLength(0)
    push(avcFrame(true, 1000))
    expect(output.durations).toEqual([480, 480])
  })

  test('where a key frame does not come, the audio begins alone, and the video joins it', () => {
    const { publish, push, finish } = setUp({ fragmentMs: 1000 })
    publish(...headers, ...stream(0, 2600, { video: false }))
    push(...stream(2600, 3600))
    const output = finish()
    expect(tracksOf(output)).toEqual([[0x0f], [0x0f], [0x1b, 0x0f]])
    expect(output.segments.map(({ discontinuity }) => discontinuity)).toEqual([true, false, true])
  })

  test('nothing waits in memory without end', () => {
    const { publish, output } = setUp()
    // Its time stands still: neither a second nor a segment is ever over.
    publish(avcHeader(), ...Array.from({ length: 2100 }, (_, index) => avcFrame(index === 0, 0)))
    expect(output.length).toBeGreaterThan(0)
  })

  test('a stream without anything usable makes no segment', () => {
    const { publish, finish, unusable } = setUp()
    publish(
      ...Array.from({ length: 50 }, (_, index) =>
        packetOf(videoType, index * 100, index % 10 === 0 ? '14aa' : '24aa'),
      ),
      ...Array.from({ length: 50 }, (_, index) => packetOf(audioType, index * 100, 'b2aa')),
    )
    expect(finish().segments).toEqual([])
    expect(unusable).toEqual(['VP6 has no place in a segment', 'Speex has no place in a segment'])
  })

  test('video that cannot be used is left out at once, and does not hold a segment up', () => {
    const { publish, push, finish, unusable } = setUp()
    publish(packetOf(videoType, 0, '90 61763031 81'), aacHeader())
    for (let time = 0; time < 4100; time += 20) {
      push(aacFrame(time), packetOf(videoType, time, time % 1000 === 0 ? '91 61763031 aa' : 'a1 61763031 aa'))
    }
    const output = finish()
    expect(output.durations).toEqual([2000, 2000, 100])
    expect(tracksOf(output)[0]).toEqual([0x0f])
    expect(unusable).toEqual(['AV1 has no place in a segment'])
  })

  test('a broken configuration is told, and the track left out', () => {
    const { publish, finish, unusable } = setUp()
    publish(avcHeader(hex('014d40')), aacHeader(), ...stream(0, 2000))
    expect(tracksOf(finish())[0]).toEqual([0x0f])
    expect(unusable).toEqual(['H.264 configuration of 3 bytes'])
  })
})

describe('behind a discontinuity', () => {
  const flags = (output: RecordedSegments): boolean[] =>
    output.segments.map(({ discontinuity }) => discontinuity)

  test('another publisher begins, and the last segment of the one before is whole', () => {
    const { publish, finish } = setUp()
    publish(...headers, ...stream(0, 2600))
    publish(...headers, ...stream(2640, 5640))
    const output = finish()
    expect(output.durations).toEqual([2000, 600, 2000, 1000])
    expect(flags(output)).toEqual([true, false, true, false])
    expect(new Set(beginnings(output))).toEqual(new Set(['key frame']))
  })

  test('a publisher that returns brings other tracks', () => {
    const { publish, finish } = setUp()
    publish(...headers, ...stream(0, 1000))
    publish(mp3Frame(1040), mp3Frame(2080))
    expect(tracksOf(finish())).toEqual([[0x1b, 0x0f], [0x03]])
  })

  test('a new video configuration begins', () => {
    const { publish, push, finish } = setUp()
    publish(...headers, ...stream(0, 600))
    const config = Buffer.from(avcConfig)
    config[config.length - 1] = 0x81
    push(avcHeader(config), ...stream(600, 1000))
    const output = finish()
    expect(output.durations).toEqual([600, 400])
    expect(flags(output)).toEqual([true, true])
    expect(output.segments[1]!.bytes.includes(hex('68ee3c81'))).toBe(true)
  })

  test('a new audio configuration begins, at the next key frame', () => {
    const { publish, push, finish } = setUp()
    publish(...headers, ...stream(0, 600))
    push(aacHeader('1190'), ...stream(0, 2000).slice(48))
    const output = finish()
    expect(flags(output)).toEqual([true, true])
    const pictures = output.parsed()[1]!.pes.filter(({ pid }) => pid === 0x100)
    expect(pictures[0]).toMatchObject({ randomAccess: true, pts: (1000 + 1000) * 90 })
  })

  test('but not where headers come again that say the same', () => {
    const { publish, push, finish } = setUp()
    publish(...headers, ...stream(0, 1000))
    push(...headers, ...stream(1000, 2000), ...headers, ...stream(2000, 3000))
    expect(flags(finish())).toEqual([true, false])
  })

  test.each([
    ['on', 20_000],
    ['back', 100],
  ])('a stream goes on whose time jumps %s', (_, next) => {
    const { publish, push, finish } = setUp()
    publish(...headers, ...stream(10_000, 13_000))
    push(...stream(10_000 + next, 11_000 + next))
    const output = finish()
    expect(output.durations).toEqual([2000, 1000, 1000])
    expect(flags(output)).toEqual([true, false, true])
  })
})

test('time goes on where timestamps wrap', () => {
  const { publish, finish } = setUp()
  const start = 2 ** 31 - 1000
  publish(
    ...headers,
    ...stream(start, start + 4000).map((packet) => ({ ...packet, timestamp: packet.timestamp % 2 ** 31 })),
  )
  const output = finish()
  expect(output.durations).toEqual([2000, 2000])
  expect(output.segments.map(({ discontinuity }) => discontinuity)).toEqual([true, false])
})

const step = fc.record({
  kind: fc.constantFrom('key', 'inter', 'sound', 'sound', 'headers', 'restart', 'idle', 'video header'),
  afterMs: fc.oneof(fc.nat(60), fc.nat(60), fc.nat(3000)),
  mark: fc.nat(3),
})

test('whatever comes, segments follow each other and each can be played alone', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), fc.boolean(), (steps, waitKeyFrame) => {
      const { segmenter, push, finish } = setUp({ fragmentMs: 1000, waitKeyFrame })
      let time = 0
      let firstFrames = 0
      segmenter.restart()
      for (const { kind, afterMs, mark } of steps) {
        time += afterMs
        if (kind === 'restart') segmenter.restart()
        else if (kind === 'idle') segmenter.idle()
        else if (kind === 'headers') push(...headers)
        else if (kind === 'sound') push(aacFrame(time, 50))
        else if (kind === 'video header') {
          const config = Buffer.from(avcConfig)
          config[config.length - 1] = 0x80 + mark
          push(avcHeader(config))
        } else {
          push(avcFrame(kind === 'key', time))
          firstFrames += 1
        }
      }
      const output = finish()
      const parsed = output.parsed()
      for (const [index, { pats, pmts, pes }] of parsed.entries()) {
        const { durationMs, discontinuity } = output.segments[index]!
        expect([pats[0], pmts[0]?.packet]).toEqual([0, 1])
        // One table for all of a segment: what it carries does not change within it.
        expect(new Set(pmts.map(({ version }) => version)).size).toBe(1)
        expect(pes.length).toBeGreaterThan(0)
        expect(durationMs).toBeGreaterThan(0)
        const pictures = pes.filter(({ pid }) => pid === 0x100)
        if (discontinuity && pictures.length > 0) expect(pictures[0]?.randomAccess).toBe(true)
      }
      expect(parsed.flatMap(({ pes }) => pes).filter(({ pid }) => pid === 0x100).length).toBeLessThanOrEqual(
        firstFrames,
      )
    }),
    { numRuns: 300 },
  )
})
