import { describe, expect, test } from 'vitest'
import { StreamHeaders } from '../../src/live/stream-headers.ts'
import { encodeAmf0 } from '../../src/media/amf0-writer.ts'
import { audioType, classify, type Packet, type PacketType, videoType } from '../../src/media/packet.ts'
import {
  audioHeader,
  cuePoint,
  interFrame,
  keyFrame,
  marks,
  metadata,
  sound,
  videoHeader,
} from '../support/packets.ts'

test('lists what came in the order in which a decoder wants it', () => {
  const headers = new StreamHeaders()
  expect(headers.list()).toStrictEqual([])
  for (const packet of [audioHeader('aac'), videoHeader('avc'), metadata('meta')]) headers.keep(packet)
  expect(marks(headers.list())).toStrictEqual(['meta', 'avc', 'aac'])
})

test('keeps the newest of each', () => {
  const headers = new StreamHeaders()
  for (const packet of [videoHeader('old'), metadata('meta'), videoHeader('new')]) headers.keep(packet)
  expect(marks(headers.list())).toStrictEqual(['meta', 'new'])
})

test('keeps nothing else', () => {
  const headers = new StreamHeaders()
  for (const packet of [keyFrame(0), interFrame(40), sound(50), cuePoint(60)]) headers.keep(packet)
  expect(headers.list()).toStrictEqual([])
})

test('forgets all of them', () => {
  const headers = new StreamHeaders()
  for (const packet of [audioHeader('aac'), videoHeader('avc'), metadata('meta')]) headers.keep(packet)
  headers.clear()
  expect(headers.list()).toStrictEqual([])
})

describe('tracks and side headers', () => {
  function packet(type: PacketType, ...bytes: (number | string | Buffer)[]): Packet {
    const body = Buffer.concat(
      bytes.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part as string))),
    )
    return { type, flags: classify(type, body), timestamp: 0, body }
  }

  const size = Buffer.of(0, 0, 1)
  const avc = (mark: string): Packet => packet(videoType, 0x17, 0, '\0\0\0', mark)
  const track = (id: number, mark: string): Packet => packet(videoType, 0x96, 0x00, 'avc1', id, mark)
  const tracks = (...ids: number[]): Packet =>
    packet(videoType, 0x96, 0x10, 'avc1', ...ids.flatMap((id) => [id, size, 'x']))
  const colors = (value: number, id?: number): Packet => {
    const value0 = encodeAmf0('colorInfo', value)
    return id === undefined
      ? packet(videoType, 0x94, 'hvc1', value0)
      : packet(videoType, 0x96, 0x04, 'hvc1', id, value0)
  }
  const sideAudio = (id: number): Packet => packet(audioType, 0x95, 0x00, 'Opus', id, 'x')
  const channels = packet(audioType, 0x94, 'Opus', 2)

  function kept(...packets: Packet[]): readonly Packet[] {
    const headers = new StreamHeaders()
    for (const each of packets) headers.keep(each)
    return headers.list()
  }

  test('are kept in the order in which they came, video before audio', () => {
    const packets = [avc('a'), track(1, 'b'), colors(1), audioHeader('aac'), sideAudio(1), channels]
    expect(kept(sideAudio(1), channels)).toStrictEqual([sideAudio(1), channels])
    expect(kept(...packets)).toStrictEqual(packets)
  })

  test('of the same track and subject are replaced, others stay', () => {
    expect(kept(avc('a'), track(1, 'b'), track(2, 'c'), track(1, 'd'))).toStrictEqual([
      avc('a'),
      track(2, 'c'),
      track(1, 'd'),
    ])
    expect(kept(avc('a'), colors(1), colors(1, 1), colors(2))).toStrictEqual([
      avc('a'),
      colors(1, 1),
      colors(2),
    ])
    expect(kept(track(0, 'a'), colors(1), avc('b'))).toStrictEqual([colors(1), avc('b')])
  })

  test('of several tracks stay until each of these has a newer one', () => {
    expect(kept(tracks(0, 1), track(0, 'a'))).toStrictEqual([tracks(0, 1), track(0, 'a')])
    expect(kept(track(0, 'a'), track(1, 'b'), tracks(0, 1))).toStrictEqual([tracks(0, 1)])
    expect(kept(tracks(0, 1), tracks(1, 2), tracks(0, 1, 2))).toStrictEqual([tracks(0, 1, 2)])
  })

  test('are no sequence header of the default track', () => {
    const headers = new StreamHeaders()
    for (const each of [track(1, 'b'), colors(1), sideAudio(1), channels]) headers.keep(each)
    expect([headers.video, headers.audio]).toStrictEqual([null, null])
    for (const each of [tracks(0, 1), track(0, 'new'), track(2, 'c')]) headers.keep(each)
    expect(headers.video).toStrictEqual(track(0, 'new'))
  })

  test('are bounded in number; the default track and the newest stay', () => {
    const many = Array.from({ length: 100 }, (_, id) => track(id + 1, 'b'))
    expect(kept(avc('a'), ...many)).toStrictEqual([avc('a'), ...many.slice(-64)])
    const pairs = Array.from({ length: 100 }, (_, id) => tracks(0, id + 1))
    expect(kept(...pairs)).toStrictEqual(pairs.slice(-65))
  })

  test('are bounded in bytes; the default track and the newest stay', () => {
    const large = Array.from({ length: 10 }, (_, id) => track(id + 1, 'b'.repeat(100_000)))
    expect(kept(avc('a'.repeat(1_000_000)), ...large)).toStrictEqual([
      avc('a'.repeat(1_000_000)),
      ...large.slice(-2),
    ])
    expect(kept(avc('a'), track(1, 'b'.repeat(300_000)))).toStrictEqual([avc('a')])
  })
})
