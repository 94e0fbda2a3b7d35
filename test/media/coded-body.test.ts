import { describe, expect, test } from 'vitest'
import { type CodedBody, readCodedBody } from '../../src/media/coded-body.ts'
import { audioType, dataType, type PacketType, videoType } from '../../src/media/packet.ts'
import { hex } from './bytes.ts'

const avc1 = '61766331'
const hvc1 = '68766331'
const av01 = '61763031'
const mp4a = '6d703461'

function coded(
  codec: string,
  content: CodedBody['content'],
  start: number,
  end: number,
  compositionMs = 0,
): CodedBody {
  return { codec, content, compositionMs, start, end }
}

describe.each<[string, PacketType, string, CodedBody | null]>([
  ['H.264 configuration', videoType, '17 00 000000 01', coded('H264', 'config', 5, 6)],
  ['H.264 pictures', videoType, '27 01 000050 aabb', coded('H264', 'frame', 5, 7, 80)],
  ['H.264 shown before it is decoded', videoType, '27 01 ffffd8 aa', coded('H264', 'frame', 5, 6, -40)],
  ['H.264 end of sequence', videoType, '17 02 000000', coded('H264', 'other', 5, 5)],
  ['H.264 cut off', videoType, '17 01 0000', null],
  ['HEVC by its number', videoType, '1c 01 000028 aa', coded('HEVC', 'frame', 5, 6, 40)],
  ['VP6', videoType, '14 aa', coded('VP6', 'frame', 1, 2)],
  ['AAC configuration', audioType, 'af 00 1210', coded('AAC', 'config', 2, 4)],
  ['AAC sound', audioType, 'af 01 aabb', coded('AAC', 'frame', 2, 4)],
  ['AAC cut off', audioType, 'af', null],
  ['MP3', audioType, '2f fffb', coded('MP3', 'frame', 1, 3)],
  ['enhanced configuration', videoType, `90 ${hvc1} 01`, coded('HEVC', 'config', 5, 6)],
  [
    'enhanced pictures with a composition time',
    videoType,
    `91 ${hvc1} 000050 aa`,
    coded('HEVC', 'frame', 8, 9, 80),
  ],
  ['enhanced pictures without one', videoType, `93 ${avc1} aa`, coded('H264', 'frame', 5, 6)],
  ['enhanced pictures that are cut off', videoType, `91 ${avc1} 0000`, null],
  ['AV1, which has no composition time', videoType, `91 ${av01} aabbccdd`, coded('AV1', 'frame', 5, 9)],
  ['enhanced end of sequence', videoType, `92 ${avc1}`, coded('H264', 'other', 5, 5)],
  ['enhanced metadata', videoType, `94 ${avc1} aa`, coded('H264', 'other', 5, 6)],
  ['enhanced AAC configuration', audioType, `90 ${mp4a} 1210`, coded('AAC', 'config', 5, 7)],
  ['enhanced AAC sound', audioType, `91 ${mp4a} aabb`, coded('AAC', 'frame', 5, 7)],
  ['the default track, alone', videoType, `96 03 ${avc1} 00 aa`, coded('H264', 'frame', 7, 8)],
  ['another track, alone', videoType, `96 03 ${avc1} 01 aa`, null],
  [
    'the first of two tracks',
    audioType,
    `95 11 ${mp4a} 00 000002 aabb 01 000001 cc`,
    coded('AAC', 'frame', 10, 12),
  ],
  ['nothing', videoType, '', null],
  ['data', dataType, '02000a', null],
])('%s', (_, type, body, expected) => {
  test(body, () => {
    expect(readCodedBody(type, hex(body))).toEqual(expected)
  })
})
