import { expect, test } from 'vitest'
import { FlvMuxer, flvFileHeader } from '../../../src/http/live/flv-muxer.ts'
import { FlvReader } from '../../../src/media/flv/reader.ts'
import type { Packet } from '../../../src/media/packet.ts'
import { audioHeader, interFrame, keyFrame, metadata, sound, videoHeader } from '../../support/packets.ts'

const all = { audio: true, video: true }
const stream = [
  metadata('meta'),
  videoHeader('avc'),
  audioHeader('aac'),
  keyFrame(0),
  sound(1),
  interFrame(2),
]

/** What a player reads of packets, all given the same time. */
function played(muxer: FlvMuxer, packets: readonly Packet[], timestamp: number): [string, number][] {
  const target = Buffer.alloc(packets.reduce((sum, { body }) => sum + muxer.sizeOf(body.length), 0))
  let end = 0
  for (const packet of packets) end = muxer.write(target, end, packet, timestamp)
  const reader = new FlvReader()
  const tags = reader.push(Buffer.concat([flvFileHeader(all), target.subarray(0, end)]))
  expect(reader.unfinished).toBe(false)
  return tags.map((tag) => [tag.body.toString(), tag.timestamp])
}

test('a player reads every packet back, at the time it was given; metadata has the time 0', () => {
  const time = 0x1234567
  expect(played(new FlvMuxer(), stream, time)).toStrictEqual([
    ['meta', 0],
    ['avc', time],
    ['aac', time],
    ['0', time],
    ['1', time],
    ['2', time],
  ])
})

test.each([
  [all, all],
  [
    { audio: true, video: false },
    { audio: true, video: false },
  ],
  [
    { audio: false, video: true },
    { audio: false, video: true },
  ],
  [{ audio: false, video: false }, all],
])('the file header of %j announces %j', (content, announced) => {
  const reader = new FlvReader()
  reader.push(flvFileHeader(content))
  expect(reader.content).toStrictEqual(announced)
})
