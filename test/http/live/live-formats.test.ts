import { describe, expect, test } from 'vitest'
import { type Carrier, type LiveKind, liveFormat } from '../../../src/http/live/live-formats.ts'
import type { Packet } from '../../../src/media/packet.ts'
import type { StreamContent } from '../../../src/pull/pulled-stream.ts'
import { vhostConfigOf } from '../../support/config.ts'
import { audioHeader, keyFrame, metadata, sound, videoHeader } from '../../support/packets.ts'
import { readFrames } from './frames.ts'

const both: StreamContent = { audio: 'AAC', video: 'H264' }
const packets = {
  meta: metadata('meta'),
  h264: keyFrame(0, Buffer.of(0x17, 1)),
  hevc: keyFrame(0, Buffer.from('91hvc1', 'latin1').fill(0x91, 0, 1)),
  enhancedHevc: videoHeader(Buffer.from([0x90, ...Buffer.from('hvc1')])),
  av1: videoHeader(Buffer.from([0x90, ...Buffer.from('av01')])),
  aac: audioHeader(Buffer.of(0xaf, 0)),
  mp3: sound(0, Buffer.of(0x2f, 0xff)),
} satisfies Record<string, Packet>

function formatOf(kind: LiveKind, carrier: Carrier = 'http', remux = '') {
  return liveFormat(kind, carrier, vhostConfigOf(`http_remux { ${remux} }`))
}

/** The names of the packets that a format takes. */
function taken(kind: LiveKind, remux = ''): string[] {
  const { takes } = formatOf(kind, 'http', remux).stream
  return Object.entries(packets)
    .filter(([, packet]) => takes === undefined || takes(packet))
    .map(([name]) => name)
}

describe('a format takes', () => {
  test.each<[LiveKind, string, string[]]>([
    ['flv', '', Object.keys(packets)],
    ['flv', 'has_audio off;', Object.keys(packets)],
    ['flv', 'guess_has_av off; has_audio off; drop_if_not_match off;', Object.keys(packets)],
    ['flv', 'guess_has_av off; has_audio off;', ['meta', 'h264', 'hevc', 'enhancedHevc', 'av1']],
    ['flv', 'guess_has_av off; has_video off;', ['meta', 'aac', 'mp3']],
    ['ts', '', ['meta', 'h264', 'enhancedHevc', 'aac', 'mp3']],
    ['aac', '', ['aac', 'mp3']],
    ['mp3', '', ['aac', 'mp3']],
  ])('%s { %s }: %j', (kind, remux, names) => {
    expect(taken(kind, remux)).toStrictEqual(names)
  })
})

describe('the first bytes', () => {
  test.each<[string, StreamContent, number]>([
    ['', both, 5],
    ['', { audio: 'AAC', video: null }, 4],
    ['', { audio: null, video: 'H264' }, 1],
    ['', { audio: null, video: null }, 5],
    ['guess_has_av off; has_video off;', both, 4],
  ])('of FLV with { %s } and %j announce %d', (remux, content, flags) => {
    expect(formatOf('flv', 'http', remux).firstBytes(content).readUInt8(4)).toBe(flags)
  })

  test('of FLV over WebSocket are a message', () => {
    const [frame, ...others] = readFrames(formatOf('flv', 'ws').firstBytes(both))
    expect(others).toStrictEqual([])
    expect(frame!.payload).toStrictEqual(formatOf('flv').firstBytes(both))
  })

  test.each<LiveKind>(['ts', 'aac', 'mp3'])('of %s are none, and no message', (kind) => {
    expect(formatOf(kind).firstBytes(both).length).toBe(0)
    expect(formatOf(kind, 'ws').firstBytes(both).length).toBe(0)
  })
})

test('formats share their bytes when they make the same ones, and else do not', () => {
  const formats = [
    formatOf('flv'),
    formatOf('flv', 'ws'),
    formatOf('flv', 'http', 'guess_has_av off; has_audio off;'),
    formatOf('ts'),
    formatOf('ts', 'ws'),
    formatOf('aac'),
    formatOf('mp3'),
  ]
  expect(new Set(formats.map(({ stream }) => stream.key)).size).toBe(formats.length)
  expect(formatOf('flv', 'http', 'guess_has_av off;').stream.key).toBe(formatOf('flv').stream.key)
})

test('fast_cache is how much audio a listener gets at once', () => {
  expect(formatOf('aac', 'http', 'fast_cache 30;').stream.audioCacheMs).toBe(30_000)
  expect(formatOf('aac').stream.audioCacheMs).toBe(0)
  expect(formatOf('flv', 'http', 'fast_cache 30;').stream.audioCacheMs).toBeUndefined()
})

test('over WebSocket a format goes without headers as it does over HTTP', () => {
  for (const [kind, expected] of [
    ['flv', false],
    ['ts', true],
    ['aac', true],
  ] as const) {
    expect(formatOf(kind, 'ws').stream.createMuxer().selfContained).toBe(expected)
  }
})
