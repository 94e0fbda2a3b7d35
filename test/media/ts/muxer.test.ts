import { describe, expect, test } from 'vitest'
import { audioType, type Packet, videoType } from '../../../src/media/packet.ts'
import { readAudioFormat } from '../../../src/media/ts/audio-format.ts'
import { TsMuxer } from '../../../src/media/ts/muxer.ts'
import { readVideoFormat } from '../../../src/media/ts/video-format.ts'
import { hex } from '../bytes.ts'
import { ListSink } from './list-sink.ts'
import {
  aacFrame,
  aacHeader,
  avcFrame,
  avcHeader,
  avcPps,
  avcSps,
  mp3Frame,
  packetOf,
  slice,
} from './packets.ts'
import { parseAdts, parseAnnexB, parseTs } from './ts-parser.ts'

const h264 = readVideoFormat(avcHeader())
const aac = readAudioFormat(aacHeader())
const mp3 = readAudioFormat(mp3Frame(0))

function setUp(tracks: TsMuxer['tracks'] = { video: h264, audio: aac }, groupMs = 90) {
  const muxer = new TsMuxer(groupMs)
  muxer.tracks = tracks
  const sink = new ListSink()
  const write = (...packets: Packet[]): void => {
    for (const packet of packets) {
      if (packet.type === videoType) muxer.writeVideo(sink, packet, packet.timestamp)
      else if (packet.type === audioType) muxer.writeAudio(sink, packet, packet.timestamp)
    }
  }
  return { muxer, sink, write, parsed: () => parseTs(sink.bytes) }
}

/** Frames of AAC at 44.1 kHz from a time on. */
function sounds(startMs: number, count: number, bytes = 100): Packet[] {
  return Array.from({ length: count }, (_, index) =>
    aacFrame(Math.round(startMs + (index * 1024) / 44.1), bytes, index),
  )
}

describe('the bytes of a frame', () => {
  test('a small key frame is one packet, with clock, parameter sets and stuffing', () => {
    const { muxer, sink, write } = setUp({ video: h264, audio: null })
    muxer.writeTables(sink, 0)
    write(avcFrame(true, 0, { units: [hex('65aabb')], compositionMs: 80 }))
    const packet = sink.bytes.subarray(2 * 188)
    const pes = [
      '000001 e0 0039 84 c0 0a 310005f011 1100057e41',
      '00000001 09f0 00000001',
      avcSps.toString('hex'),
      '00000001',
      avcPps.toString('hex'),
      '000001 65aabb',
    ]
    const payload = hex(pes.join(''))
    // 1,000 ms of delay are 90,000 ticks; the clock is 700 ms before.
    const field = Buffer.concat([hex('00 50 000034bc 7e00'), Buffer.alloc(184 - 8 - payload.length, 0xff)])
    field[0] = field.length - 1
    payload.writeUInt16BE(payload.length - 6, 4)
    // 80 ms later than 1,000: 97,200 ticks.
    hex('310005f761').copy(payload, 9)
    hex('110005bf21').copy(payload, 14)
    expect(packet).toEqual(Buffer.concat([hex('47410030'), field, payload]))
  })

  test.each([0, 1, 2, 3, 160, 161, 162, 163, 164, 182, 183, 184, 185, 366, 367, 368, 369])(
    'stuffing fills what %i bytes leave of a packet',
    (more) => {
      const { write, parsed } = setUp({ video: h264, audio: null })
      const unit = slice(0x41, 100 + more)
      write(avcFrame(true, 0), avcFrame(false, 40, { units: [unit] }))
      expect(parseAnnexB(parsed().pes[1]!.data)).toEqual([hex('09f0'), unit])
    },
  )

  test('a length of more than 16 bits is left open', () => {
    const { write, parsed } = setUp({ video: h264, audio: null })
    const units = [slice(0x65, 100_000)]
    write(avcFrame(true, 0, { units }), avcFrame(false, 40, { units: [slice(0x41, 65_512)] }))
    expect(parsed().pes.map(({ data }) => parseAnnexB(data).at(-1)?.length)).toEqual([100_000, 65_512])
  })

  test('of a key frame say that a decoder can begin there', () => {
    const { write, parsed } = setUp({ video: h264, audio: null })
    write(avcFrame(true, 0), avcFrame(false, 40), avcFrame(true, 80))
    expect(parsed().pes.map(({ randomAccess }) => randomAccess)).toEqual([true, false, true])
  })
})

describe('times', () => {
  test('are a second behind the stream, and the clock 300 ms', () => {
    const { write, parsed } = setUp({ video: h264, audio: null })
    write(
      avcFrame(true, 0),
      avcFrame(false, 40, { compositionMs: 80 }),
      avcFrame(false, 80, { compositionMs: -40 }),
    )
    const { pes, clocks } = parsed()
    expect(pes.map(({ dts, pts }) => [dts, pts])).toEqual([
      [90_000, 90_000],
      [93_600, 100_800],
      [97_200, 97_200],
    ])
    expect(clocks.map(({ base }) => base)).toEqual([27_000, 30_600, 34_200])
  })

  test('wrap at 2^33 ticks', () => {
    const { write, parsed } = setUp({ video: h264, audio: null })
    const wrapMs = Math.floor(2 ** 33 / 90)
    write(avcFrame(true, wrapMs - 1040), avcFrame(false, wrapMs - 960), avcFrame(false, wrapMs - 260))
    const { pes, clocks } = parsed()
    const start = (wrapMs - 1040) * 90 + 90_000
    expect(pes.map(({ dts }) => dts)).toEqual([start, start + 7200 - 2 ** 33, start + 70_200 - 2 ** 33])
    expect(clocks.map(({ base }) => base)).toEqual([start - 63_000, start - 55_800, start + 7200 - 2 ** 33])
  })
})

describe('audio', () => {
  test('shares PES packets of 90 ms, each frame behind its ADTS header', () => {
    const { muxer, sink, write, parsed } = setUp({ video: null, audio: aac })
    const frames = sounds(0, 10)
    write(...frames)
    muxer.flush(sink)
    muxer.flush(sink)
    const { pes, clocks } = parsed()
    expect(pes.map(({ data }) => parseAdts(data).length)).toEqual([4, 4, 2])
    expect(pes.map(({ pts }) => pts - 90_000)).toEqual([0, 93 * 90, 186 * 90])
    expect(Buffer.concat(pes.flatMap(({ data }) => parseAdts(data).map(({ frame }) => frame)))).toEqual(
      Buffer.concat(frames.map(({ body }) => body.subarray(2))),
    )
    expect(clocks.map(({ pid }) => pid)).toEqual([0x101, 0x101, 0x101])
  })

  test.each([
    ['a gap', [0, 23, 500, 523], [2, 2]],
    ['a step back', [0, 23, 10, 33], [2, 2]],
    ['a step that is not worth it', [0, 23, 70], [3]],
  ])('begins another one at %s', (_, times, frames) => {
    const { muxer, sink, write, parsed } = setUp({ video: null, audio: aac }, 1000)
    write(...times.map((time) => aacFrame(time)))
    muxer.flush(sink)
    expect(parsed().pes.map(({ data }) => parseAdts(data).length)).toEqual(frames)
  })

  test('begins another one before the length of a PES packet is over', () => {
    const { muxer, sink, write, parsed } = setUp({ video: null, audio: aac }, 100_000)
    write(...sounds(0, 20, 8000), ...sounds(465, 40, 10))
    muxer.flush(sink)
    expect(parsed().pes.map(({ data }) => parseAdts(data).length)).toEqual([7, 7, 32, 14])
  })

  test('is written before video that is 90 ms later, in front of it', () => {
    const { write, parsed } = setUp()
    write(avcFrame(true, 0), aacFrame(5), avcFrame(false, 40), aacFrame(28), avcFrame(false, 120))
    expect(parsed().pes.map(({ pid }) => pid)).toEqual([0x100, 0x100, 0x101, 0x100])
  })

  test('goes out at once where it is not to wait', () => {
    const { write, parsed } = setUp({ video: null, audio: aac }, 0)
    write(...sounds(0, 3))
    expect(parsed().pes).toHaveLength(3)
  })

  test('is MP3 as it is', () => {
    const { muxer, sink, write, parsed } = setUp({ video: null, audio: mp3 })
    const frames = [mp3Frame(0), mp3Frame(26)]
    write(...frames)
    muxer.flush(sink)
    const { pes, pmts } = parsed()
    expect(pmts[0]?.streams).toEqual([{ pid: 0x101, type: 3 }])
    expect(pes.map(({ data }) => data)).toEqual([Buffer.concat(frames.map(({ body }) => body.subarray(1)))])
  })
})

describe('the clock', () => {
  const gaps = (clocks: readonly { base: number }[]): number[] =>
    clocks.slice(1).map(({ base }, index) => base - clocks[index]!.base)

  test('goes with the video at each frame', () => {
    const { write, parsed } = setUp()
    write(...[0, 40, 80, 120].map((time) => avcFrame(time === 0, time)))
    expect(parsed().clocks.map(({ pid, base }) => [pid, base])).toEqual(
      [0, 40, 80, 120].map((time) => [0x100, 27_000 + time * 90]),
    )
  })

  test('goes on between frames that are far apart, as long as there is audio', () => {
    const { write, parsed } = setUp()
    write(avcFrame(true, 0), ...sounds(0, 43), avcFrame(false, 1000))
    const { clocks } = parsed()
    expect(clocks.every(({ pid }) => pid === 0x100)).toBe(true)
    expect(Math.max(...gaps(clocks)) / 90).toBeLessThanOrEqual(100)
  })

  test('never stands or goes back where audio and video are loosely interleaved', () => {
    const { write, parsed } = setUp()
    write(avcFrame(true, 0), ...sounds(0, 22), avcFrame(false, 40), avcFrame(false, 80), avcFrame(false, 520))
    expect(Math.min(...gaps(parsed().clocks))).toBeGreaterThan(0)
  })

  test('follows a stream whose time jumps', () => {
    const { write, parsed } = setUp({ video: h264, audio: null })
    write(avcFrame(true, 100_000), avcFrame(true, 500), avcFrame(true, 200_000))
    expect(parsed().clocks.map(({ base }) => base / 90 - 300)).toEqual([100_000, 500, 200_000])
  })
})

describe('the tables', () => {
  test('come first, and again each half a second', () => {
    const { write, parsed } = setUp()
    for (let time = 0; time <= 2000; time += 40) write(avcFrame(time === 0, time))
    const { pats, pmts } = parsed()
    expect(pats[0]).toBe(0)
    expect(pats).toHaveLength(4)
    expect(pmts.map(({ packet }) => packet)).toEqual(pats.map((packet) => packet + 1))
    expect(pmts[0]).toMatchObject({
      clockPid: 0x100,
      streams: [
        { pid: 0x100, type: 0x1b },
        { pid: 0x101, type: 0x0f },
      ],
    })
  })

  test('change with what the stream carries, and come at once then', () => {
    const { muxer, sink, write, parsed } = setUp({ video: null, audio: aac }, 0)
    write(aacFrame(0))
    muxer.tracks = { video: null, audio: readAudioFormat(aacHeader('1190')) }
    write(aacFrame(23))
    muxer.tracks = { video: null, audio: mp3 }
    write(mp3Frame(46))
    muxer.tracks = { video: h264, audio: mp3 }
    write(avcFrame(true, 60))
    expect(sink.bytes.length).toBeGreaterThan(0)
    expect(
      parsed().pmts.map(({ version, clockPid, streams }) => [version, clockPid, streams.length]),
    ).toEqual([
      [1, 0x101, 1],
      [2, 0x101, 1],
      [3, 0x100, 2],
    ])
  })
})

describe('what is passed over', () => {
  test.each<[string, Packet]>([
    ['a sequence header', avcHeader()],
    ['an audio header', aacHeader()],
    ['the end of a sequence', packetOf(videoType, 0, '17 02 000000')],
    ['a frame without units', avcFrame(true, 0, { units: [] })],
    ['another codec', packetOf(videoType, 0, '14 aabb')],
    ['another audio codec', mp3Frame(0)],
    ['an empty audio frame', packetOf(audioType, 0, 'af01')],
    ['an audio frame that ADTS has no length for', aacFrame(0, 8185)],
  ])('%s', (_, packet) => {
    const { muxer, sink, write } = setUp()
    write(packet)
    muxer.flush(sink)
    expect(sink.bytes).toHaveLength(0)
  })

  test('frames of tracks that there are none of', () => {
    const { muxer, sink, write } = setUp({ video: null, audio: null })
    write(avcFrame(true, 0), aacFrame(0), mp3Frame(0))
    muxer.flush(sink)
    expect(sink.bytes).toHaveLength(0)
  })
})
