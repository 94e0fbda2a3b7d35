import { expect, test } from 'vitest'
import type { Packet } from '../../../src/media/packet.ts'
import { videoType } from '../../../src/media/packet.ts'
import { movieOf } from '../../../src/media/vod/mp4-movie.ts'
import { hex } from '../bytes.ts'
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
import { flvFile, indexOf, samplesOf } from './flv-files.ts'

/** H.264 main profile at 320x180, as x264 writes it. */
const avc320 = hex('014d400cffe10019674d400ceca0a0cfcf80880000030008000003019078a14cb001000468ce0fc8')

function movie(...packets: Packet[]) {
  const file = flvFile(packets)
  const index = indexOf(file, 1000)
  return movieOf(index, samplesOf(file, index)[0] ?? [])
}

test('MP3 says its rate and channels in its frames', () => {
  expect(movie(mp3Frame(0), mp3Frame(26)).audio).toMatchObject({
    codec: 'MP3',
    sampleRate: 44_100,
    channels: 2,
  })
  // MPEG-2, 24 kHz, mono.
  expect(movie(mp3Frame(0, 'fff364c4'), mp3Frame(24)).audio).toMatchObject({
    sampleRate: 24_000,
    channels: 1,
  })
})

test('the fragments are as large and as long as the segments', () => {
  const { audio, fragments } = movie(aacHeader(), ...Array.from({ length: 100 }, (_, n) => aacFrame(n * 20)))
  expect(audio).toMatchObject({ codec: 'AAC', config: hex('1210'), sampleRate: 44_100, channels: 2 })
  expect(fragments).toEqual([
    { bytes: 8 + 16 + 64 + 50 * 8 + 8 + 50 * 100, durationMs: 1000 },
    { bytes: 8 + 16 + 64 + 50 * 8 + 8 + 50 * 100, durationMs: 1000 },
  ])
})

test.each<[string, Packet[]]>([
  [
    'H.264 behind start codes',
    [avcHeader(avc320), packetOf(videoType, 0, '17 01 000000', withStartCodes([slice(0x65, 300)]))],
  ],
  [
    'a configuration that changes',
    [aacHeader(), aacFrame(0), aacFrame(20), aacHeader('1190'), aacFrame(40), aacFrame(60)],
  ],
])('%s has no place in an MP4 file', (_, packets) => {
  expect(() => movie(...packets)).toThrow(expect.objectContaining({ code: 'VOD_FORMAT' }))
})

test('H.264 says its size', () => {
  expect(movie(avcHeader(avc320), avcFrame(true, 0)).video).toEqual({
    codec: 'H264',
    config: avc320,
    width: 320,
    height: 180,
  })
})
