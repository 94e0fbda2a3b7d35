import { describe, expect, test } from 'vitest'
import { fragmentBytes, writeFragment } from '../../../src/media/mp4/fragment.ts'
import type { Sample, TrackName } from '../../../src/media/vod/recording.ts'
import { hex } from '../bytes.ts'
import { find, readBoxes } from './boxes.ts'

function sample(
  track: TrackName,
  decodeMs: number,
  content: string,
  compositionMs = 0,
  isKey = false,
): Sample {
  const body = hex(`ff${content}ff`)
  return {
    track,
    isKey,
    decodeMs,
    presentationMs: decodeMs + compositionMs,
    body,
    start: 1,
    end: body.length - 1,
  }
}

const samples = [
  sample('video', 1000, 'aaaaaa', 80, true),
  sample('audio', 990, '0101'),
  sample('video', 1040, 'bbbb', -40),
  sample('audio', 1013, '02'),
  sample('audio', 1036, '03'),
]

describe('a fragment', () => {
  const bytes = Buffer.from(writeFragment(7, samples, 500))

  test('has the size that was announced', () => {
    expect(bytes.length).toBe(fragmentBytes(2, 3, 9))
    expect(Buffer.from(writeFragment(1, samples.slice(0, 1), 0))).toHaveLength(fragmentBytes(1, 0, 3))
    expect(Buffer.from(writeFragment(1, samples.slice(1, 2), 0))).toHaveLength(fragmentBytes(0, 1, 2))
  })

  test('has the data of each track where its run says', () => {
    expect(readBoxes(bytes).map(({ type }) => type)).toEqual(['moof', 'mdat'])
    expect(find(bytes, 'mdat').content).toEqual(hex('aaaaaabbbb01010203'))
    const runs = readBoxes(find(bytes, 'moof').content)
      .filter(({ type }) => type === 'traf')
      .map(({ content }) => find(content, 'trun').content.readUInt32BE(8))
    const dataAt = bytes.length - 9
    expect(runs).toEqual([dataAt, dataAt + 5])
  })

  test('says its number, when it begins, and of each sample how long, how large and how late it is', () => {
    const moof = find(bytes, 'moof').content
    expect(find(moof, 'mfhd').content).toEqual(hex('00000000 00000007'))
    const [video, audio] = readBoxes(moof)
      .filter(({ type }) => type === 'traf')
      .map(({ content }) => content)
    expect(find(video!, 'tfdt').content).toEqual(hex('01000000 00000000 000005dc'))
    expect(find(audio!, 'tfdt').content).toEqual(hex('01000000 00000000 000005d2'))
    expect(find(video!, 'trun').content.subarray(12)).toEqual(
      hex('00000028 00000003 02000000 00000050  00000028 00000002 01010000 ffffffd8'),
    )
    expect(find(audio!, 'trun').content.subarray(12)).toEqual(
      hex('00000017 00000002  00000017 00000001  00000017 00000001'),
    )
  })

  test('beyond 49 days has a time of 64 bits', () => {
    const late = Buffer.from(writeFragment(1, [sample('audio', 2 ** 32 + 5, '01')], 0))
    expect(find(late, 'moof', 'traf', 'tfdt').content).toEqual(hex('01000000 00000001 00000005'))
  })
})
