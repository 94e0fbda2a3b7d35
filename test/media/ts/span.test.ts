import { describe, expect, test } from 'vitest'
import { videoType } from '../../../src/media/packet.ts'
import { readAudioFormat } from '../../../src/media/ts/audio-format.ts'
import { TsMuxer } from '../../../src/media/ts/muxer.ts'
import { measureTs } from '../../../src/media/ts/span.ts'
import { readVideoFormat } from '../../../src/media/ts/video-format.ts'
import { ListSink } from './list-sink.ts'
import { aacFrame, aacHeader, avcFrame, avcHeader } from './packets.ts'

/** A second of video at 25 frames, with audio, from a time on. */
function second(startMs: number): Buffer {
  const muxer = new TsMuxer(90)
  muxer.tracks = { video: readVideoFormat(avcHeader()), audio: readAudioFormat(aacHeader()) }
  const sink = new ListSink()
  for (let time = startMs; time < startMs + 1000; time += 40) {
    for (const packet of [avcFrame(time === startMs, time, { compositionMs: 80 }), aacFrame(time)]) {
      if (packet.type === videoType) muxer.writeVideo(sink, packet, time)
      else muxer.writeAudio(sink, packet, time)
    }
  }
  muxer.flush(sink)
  return sink.bytes
}

test.each([0, 5000, Math.floor(2 ** 33 / 90) - 1500])('a second from %i ms on', (startMs) => {
  const bytes = second(startMs)
  expect(measureTs(bytes)).toEqual({ bytes: bytes.length, durationMs: 1000 })
})

test('what is cut off ends with its last whole packet', () => {
  const bytes = second(0)
  expect(measureTs(bytes.subarray(0, bytes.length - 100))?.bytes).toBe(bytes.length - 188)
})

describe('what cannot be measured', () => {
  test.each([
    ['nothing', Buffer.alloc(0)],
    ['less than a packet', second(0).subarray(0, 100)],
    ['tables alone', second(0).subarray(0, 2 * 188)],
    ['one frame', second(0).subarray(0, 3 * 188)],
    ['something else', Buffer.alloc(10 * 188, 0x5a)],
  ])('%s', (_, bytes) => {
    expect(measureTs(bytes)).toBeNull()
  })
})
