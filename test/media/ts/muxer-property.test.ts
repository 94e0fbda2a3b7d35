import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Packet, videoType } from '../../../src/media/packet.ts'
import { UnwrappedTime } from '../../../src/media/timestamp-delta.ts'
import { readAudioFormat } from '../../../src/media/ts/audio-format.ts'
import { TsBatchMuxer } from '../../../src/media/ts/batch-muxer.ts'
import { TsMuxer, type TsTracks } from '../../../src/media/ts/muxer.ts'
import { readVideoFormat } from '../../../src/media/ts/video-format.ts'
import { ListSink } from './list-sink.ts'
import { aacFrame, aacHeader, avcFrame, avcHeader, avcPps, avcSps, slice } from './packets.ts'
import { type Pes, parseAdts, parseAnnexB, parseTs, ticksBetween } from './ts-parser.ts'

/** A packet, what comes out of it, and whether a fragment begins before it. */
interface Step {
  readonly packet: Packet
  readonly compositionMs: number
  readonly cut: boolean
}

const size = fc.oneof(fc.integer({ min: 2, max: 600 }), fc.integer({ min: 2, max: 70_000 }))
const start = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.constant(2 ** 31 - 500))

const steps: fc.Arbitrary<Step[]> = fc
  .tuple(
    start,
    fc.array(
      fc.record({
        kind: fc.constantFrom('key' as const, 'inter' as const, 'sound' as const, 'sound' as const),
        afterMs: fc.oneof(fc.nat(50), fc.nat(400)),
        compositionMs: fc.constantFrom(0, 0, 40, 80, 500),
        sizes: fc.array(size, { minLength: 1, maxLength: 3 }),
        cut: fc.boolean(),
      }),
      { minLength: 1, maxLength: 60 },
    ),
  )
  .map(([startMs, list]) => {
    let time = startMs
    return list.map(({ kind, afterMs, compositionMs, sizes, cut }) => {
      time = (time + afterMs) % 2 ** 32
      if (kind === 'sound') {
        const packet = aacFrame(time, Math.min(8184, sizes[0]!), sizes[0]! & 15)
        return { packet, compositionMs: 0, cut: false }
      }
      const units = sizes.map((bytes) => slice(kind === 'key' ? 0x65 : 0x41, bytes, bytes & 15))
      const packet = avcFrame(kind === 'key', time, { units, compositionMs })
      return { packet, compositionMs, cut: cut && kind === 'key' }
    })
  })

const tracks: TsTracks = { video: readVideoFormat(avcHeader()), audio: readAudioFormat(aacHeader()) }

function unitsIn({ body }: Packet): Buffer[] {
  const units: Buffer[] = []
  for (let at = 5; at < body.length; at += 4 + body.readUInt32BE(at)) {
    units.push(body.subarray(at + 4, at + 4 + body.readUInt32BE(at)))
  }
  return units
}

/** Checks that the PES packets are the frames that went in, with the times they have as a stream. */
function expectFrames(pes: readonly Pes[], list: readonly Step[]): void {
  const time = new UnwrappedTime()
  const frames = list.map((step) => ({ ...step, timeMs: time.next(step.packet.timestamp) }))
  const video = frames.filter(({ packet }) => packet.type === videoType)
  const pictures = pes.filter(({ pid }) => pid === 0x100)
  expect(pictures).toHaveLength(video.length)
  for (const [index, { packet, timeMs, compositionMs }] of video.entries()) {
    const found = pictures[index]!
    const sets = found.randomAccess ? [avcSps, avcPps] : []
    expect(parseAnnexB(found.data)).toEqual([Buffer.of(9, 0xf0), ...sets, ...unitsIn(packet)])
    expect(found.randomAccess).toBe(packet.body[0] === 0x17)
    expect(ticksBetween(found.dts, ((timeMs + 1000) * 90) % 2 ** 33)).toBe(0)
    expect(ticksBetween(found.pts, found.dts)).toBe(compositionMs * 90)
  }
  const sounds = frames.filter(({ packet }) => packet.type !== videoType)
  let next = 0
  for (const { data, pts } of pes.filter(({ pid }) => pid === 0x101)) {
    expect(ticksBetween(pts, ((sounds[next]!.timeMs + 1000) * 90) % 2 ** 33)).toBe(0)
    for (const { frame } of parseAdts(data)) {
      expect(frame).toEqual(sounds[next]!.packet.body.subarray(2))
      next += 1
    }
  }
  expect(next).toBe(sounds.length)
}

/** Checks that the clock goes on, and that no frame comes too late for a decoder that follows it. */
function expectClock(stream: ReturnType<typeof parseTs>): void {
  let clock: number | null = null
  const events = [
    ...stream.clocks.map(({ base, packet }) => ({ packet, clock: base, dts: null })),
    ...stream.pes.map(({ dts, packet }) => ({ packet, clock: null, dts })),
  ].sort((a, b) => a.packet - b.packet || (a.clock === null ? 1 : -1))
  for (const event of events) {
    if (event.clock !== null) {
      if (clock !== null) expect(ticksBetween(event.clock, clock)).toBeGreaterThan(0)
      clock = event.clock
    } else if (clock !== null) expect(ticksBetween(event.dts, clock)).toBeGreaterThan(0)
  }
}

test('whatever is written, each fragment can be played alone, and all of them as one stream', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const muxer = new TsMuxer(90)
      muxer.tracks = tracks
      const time = new UnwrappedTime()
      const fragments = [new ListSink()]
      for (const { packet, cut } of list) {
        const timeMs = time.next(packet.timestamp)
        if (cut) {
          muxer.flush(fragments.at(-1)!)
          fragments.push(new ListSink())
          muxer.writeTables(fragments.at(-1)!, timeMs)
        }
        const sink = fragments.at(-1)!
        if (packet.type === videoType) muxer.writeVideo(sink, packet, timeMs)
        else muxer.writeAudio(sink, packet, timeMs)
      }
      muxer.flush(fragments.at(-1)!)
      let counters: ReadonlyMap<number, number> = new Map()
      for (const { bytes } of fragments) {
        const parsed = parseTs(bytes, counters)
        if (parsed.packets > 0) expect(parsed.pats[0]).toBe(0)
        counters = parsed.counters
      }
      const whole = parseTs(Buffer.concat(fragments.map(({ bytes }) => bytes)))
      expectFrames(whole.pes, list)
      expectClock(whole)
    }),
  )
})

test('a live stream for many is the same, and has tables in front of each key frame', () => {
  fc.assert(
    fc.property(steps, (list) => {
      const muxer = new TsBatchMuxer()
      const parts: Buffer[] = []
      const write = (packet: Packet): void => {
        const target = Buffer.alloc(muxer.sizeOf(packet.body.length, packet.timestamp))
        parts.push(target.subarray(0, muxer.write(target, 0, packet, packet.timestamp)))
      }
      for (const header of [avcHeader(), aacHeader()]) write(header)
      for (const { packet } of list) write(packet)
      const whole = parseTs(Buffer.concat(parts))
      expectFrames(whole.pes, list)
      expectClock(whole)
      for (const { packet } of whole.pes.filter(({ randomAccess }) => randomAccess)) {
        expect(whole.pats).toContain(packet - 2)
      }
    }),
  )
})
