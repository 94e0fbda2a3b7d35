import { describe, expect, test } from 'vitest'
import { type BatchMuxer, Broadcast } from '../../../src/live/broadcast.ts'
import { Viewer } from '../../../src/live/viewer.ts'
import { audioType, type Packet, videoType } from '../../../src/media/packet.ts'
import { TsBatchMuxer } from '../../../src/media/ts/batch-muxer.ts'
import { FakeSocket, StoppedClock } from '../../live/plain-wire.ts'
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
  withLengths,
  withStartCodes,
} from './packets.ts'
import { parseAnnexB, parseTs } from './ts-parser.ts'

/** What a muxer makes of packets, each in a buffer of the size that was announced. */
function written(packets: readonly Packet[], muxer: BatchMuxer = new TsBatchMuxer()): Buffer {
  return Buffer.concat(
    packets.map((packet) => {
      const target = Buffer.alloc(3 + muxer.sizeOf(packet.body.length, packet.timestamp))
      return target.subarray(3, muxer.write(target, 3, packet, packet.timestamp))
    }),
  )
}

function broadcastOf(): Broadcast {
  const options = {
    gopCache: true,
    maxBehindMs: 30_000,
    maxBehindBytes: 1 << 22,
    gopCacheMaxBytes: 1 << 25,
    stallMs: 30_000,
  }
  return new Broadcast(new TsBatchMuxer(), new StoppedClock(), options)
}

test('who joins a broadcast late gets a stream from the last key frame on', () => {
  const broadcast = broadcastOf()
  const push = (...packets: Packet[]): void => {
    for (const packet of packets) broadcast.push(packet)
    broadcast.flush()
  }
  const [early, late] = [new FakeSocket(), new FakeSocket()]
  broadcast.join(new Viewer(early, () => {}))
  push(avcHeader(), aacHeader(), avcFrame(true, 0), aacFrame(10), avcFrame(false, 40))
  push(avcFrame(true, 80), aacFrame(90))
  broadcast.join(new Viewer(late, () => {}))
  push(avcFrame(false, 120))
  const [whole, part] = [early, late].map(({ written }) => parseTs(Buffer.concat(written)))
  expect(whole!.pes.map(({ pid }) => pid)).toEqual([0x100, 0x101, 0x100, 0x100, 0x101, 0x100])
  expect(part!.pats[0]).toBe(0)
  expect(part!.pes.map(({ pts }) => pts)).toEqual(whole!.pes.slice(3).map(({ pts }) => pts))
})

test('who joins a broadcast of audio alone waits for the next tables', () => {
  const broadcast = broadcastOf()
  const socket = new FakeSocket()
  broadcast.push(aacHeader())
  for (let time = 0; time < 2000; time += 20) {
    if (time === 1000) broadcast.join(new Viewer(socket, () => {}))
    broadcast.push(aacFrame(time))
    broadcast.flush()
  }
  const bytes = Buffer.concat(socket.written)
  const tables = bytes.indexOf(hex('474000'))
  const { pes } = parseTs(bytes.subarray(tables))
  expect(pes[0]?.pts).toBeLessThanOrEqual((1000 + 1000 + 500) * 90)
  expect(pes.at(-1)?.pts).toBe((1980 + 1000) * 90)
})

test('time goes on where timestamps of 31 bits wrap', () => {
  const packets = [avcHeader(), avcFrame(true, 2 ** 31 - 40), avcFrame(false, 0)]
  const [before, after] = parseTs(written(packets)).pes
  expect(after!.dts - before!.dts).toBe(40 * 90)
})

test('a publisher that follows another one brings its own tracks', () => {
  const muxer = new TsBatchMuxer()
  const first = written([avcHeader(), aacHeader(), avcFrame(true, 0), aacFrame(10)], muxer)
  muxer.restart()
  const second = written([mp3Frame(50), mp3Frame(76)], muxer)
  const { pmts } = parseTs(Buffer.concat([first, second]))
  expect(pmts.at(-1)?.streams).toEqual([{ pid: 0x101, type: 3 }])
})

describe('video without a sequence header', () => {
  test('behind start codes, with its parameter sets in each key frame', () => {
    const key = packetOf(videoType, 0, '17 01 000000', withStartCodes([avcSps, avcPps, slice(0x65, 300)]))
    const inter = packetOf(videoType, 40, '27 01 000000', withStartCodes([slice(0x41, 300)]))
    const { pes } = parseTs(written([key, inter]))
    expect(pes.map(({ data }) => parseAnnexB(data).map((unit) => unit[0]))).toEqual([
      [0x09, 0x67, 0x68, 0x65],
      [0x09, 0x41],
    ])
  })

  test('behind lengths is nothing that could be played', () => {
    expect(written([avcFrame(true, 0), avcFrame(false, 40)])).toHaveLength(0)
  })
})

describe('the announced size is enough', () => {
  const tiny = Array.from({ length: 200 }, () => hex('67'))
  test.each([1, 2, 3, 4])('for tiny units behind lengths of %i bytes', (lengthBytes) => {
    const config = Buffer.from(avcConfig)
    config[4] = 0xfc | (lengthBytes - 1)
    const frame = packetOf(videoType, 0, '17 01 000000', withLengths(tiny, lengthBytes))
    const { pes } = parseTs(written([avcHeader(config), frame]))
    expect(parseAnnexB(pes[0]!.data)).toEqual([hex('09f0'), ...tiny])
  })

  test('for tiny units behind the shorter start code', () => {
    const body = Buffer.concat(tiny.flatMap((unit) => [hex('000001'), unit]))
    const { pes } = parseTs(written([avcHeader(), packetOf(videoType, 0, '17 01 000000', body)]))
    expect(parseAnnexB(pes[0]!.data)).toHaveLength(201)
  })
})

describe('what has no place in a transport stream', () => {
  test.each<[string, Packet[]]>([
    ['AV1', [packetOf(videoType, 0, '90 61763031 8100'), packetOf(videoType, 0, '91 61763031 aabb')]],
    ['Speex', [packetOf(audioType, 0, 'b2 aabb')]],
    ['a broken configuration', [avcHeader(hex('014d40')), avcFrame(true, 0)]],
    ['metadata', [{ type: 18, flags: 4, timestamp: 0, body: hex('02000a') }]],
  ])('%s is left out', (_, packets) => {
    const bytes = written([...packets, aacHeader(), aacFrame(0)])
    expect(parseTs(bytes).pmts.map(({ streams }) => streams)).toEqual([[{ pid: 0x101, type: 0x0f }]])
  })
})
