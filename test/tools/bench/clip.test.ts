import { describe, expect, test } from 'vitest'
import { audioType, sequenceHeaderFlag, videoType } from '../../../src/media/packet.ts'
import { readClip } from '../../../src/tools/bench/clip.ts'
import { withStamp } from '../../../src/tools/bench/stamp.ts'
import { hex } from '../../rtmp/bytes.ts'
import {
  aacHeader,
  avcHeader,
  endOfSequence,
  interFrame,
  keyFrame,
  sampleTags,
  sound,
  type Tag,
  writeClip,
} from './sample-clip.ts'

describe('readClip', () => {
  test('parts headers and frames, begins at 0 and leaves the end of the sequence out', async () => {
    const { headers, frames, durationMs } = await readClip(writeClip(sampleTags), false)
    expect(headers).toStrictEqual([
      { type: videoType, flags: sequenceHeaderFlag, timestamp: 0, body: avcHeader },
      { type: audioType, flags: sequenceHeaderFlag, timestamp: 0, body: aacHeader },
    ])
    expect(frames).toHaveLength(20)
    expect(frames.slice(0, 3).map(({ packet }) => [packet.timestamp, packet.body])).toStrictEqual([
      [0, keyFrame],
      [10, sound],
      [40, interFrame],
    ])
    // The last sound is at 370 ms, and pictures are 40 ms apart.
    expect(durationMs).toBe(410)
    expect(frames.every(({ stamped }) => !stamped)).toBe(true)
  })

  test('makes room for stamps in pictures', async () => {
    const { frames } = await readClip(writeClip(sampleTags), true)
    expect(frames[0]).toMatchObject({ stamped: true, packet: { body: withStamp(keyFrame) } })
    expect(frames[1]).toMatchObject({ stamped: false, packet: { body: sound } })
    expect(frames[2]).toMatchObject({ stamped: true, packet: { body: withStamp(interFrame) } })
  })

  test.each<[string, number, readonly Tag[]]>([
    ['one picture', 1, [[videoType, 500, keyFrame]]],
    [
      'sounds alone',
      69,
      [
        [audioType, 0, sound],
        [audioType, 23, sound],
        [audioType, 46, sound],
      ],
    ],
    [
      'a sound behind the last picture',
      140,
      [
        [videoType, 0, keyFrame],
        [videoType, 40, interFrame],
        [audioType, 100, sound],
      ],
    ],
    [
      'an enhanced end of sequence',
      1,
      [
        [videoType, 0, hex('91 68766331 000000 00')],
        [videoType, 40, hex('92 68766331')],
      ],
    ],
  ])('takes %s to last %i ms', async (_, expected, tags) => {
    const { durationMs } = await readClip(writeClip(tags), false)
    expect(durationMs).toBe(expected)
  })

  test.each<[string, boolean, string, readonly Tag[]]>([
    [
      'no frame',
      false,
      'FLV_FORMAT',
      [
        [videoType, 0, avcHeader],
        [videoType, 0, endOfSequence],
      ],
    ],
    [
      'no pictures to stamp',
      true,
      'BENCH_OPTION',
      [
        [audioType, 0, aacHeader],
        [audioType, 0, sound],
      ],
    ],
    [
      'NAL lengths of two bytes to stamp',
      true,
      'BENCH_OPTION',
      [
        [videoType, 0, hex('17 00 000000 0142c00d fd e0 00')],
        [videoType, 0, keyFrame],
      ],
    ],
  ])('refuses %s', async (_, stamp, code, tags) => {
    await expect(readClip(writeClip(tags), stamp)).rejects.toMatchObject({ code })
  })

  test('refuses a file that is not there', async () => {
    await expect(readClip('/nowhere/clip.flv', false)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
