import { describe, expect, test } from 'vitest'
import { cutRecording, type Picture } from '../../../src/media/vod/mp4-cuts.ts'
import type { Mp4Slice } from '../../../src/media/vod/recording.ts'

/** Pictures by when they are shown, in frames of 0.5 s: `I0 P3 B1 B2` in decoding order. */
function pictures(text: string): Picture[] {
  return text.split(' ').map((picture) => ({
    time: Number(picture.slice(1)) / 2,
    isKey: picture.startsWith('I'),
    bytes: 100,
  }))
}

function cuts(list: readonly Picture[], fragmentMs: number, sound: [number, number] | null = null) {
  const end = list.length === 0 ? 0 : Math.max(...list.map(({ time }) => time)) + 0.5
  const span = sound && { start: sound[0], end: sound[1] }
  return cutRecording(list, end, span, fragmentMs).map(({ durationMs, videoFrames, slice }) => {
    const { videoTime, audioTime, audioEnd } = slice as Mp4Slice
    return { durationMs, videoFrames, videoTime, audioTime, audioEnd }
  })
}

describe('pictures', () => {
  test('are cut at key frames, and the sound at the same times', () => {
    expect(cuts(pictures('I0 P1 I2 P3 I4 P5'), 1000, [0, 3])).toEqual([
      { durationMs: 1000, videoFrames: 2, videoTime: 0, audioTime: null, audioEnd: 1 },
      { durationMs: 1000, videoFrames: 2, videoTime: 1, audioTime: 1, audioEnd: 2 },
      { durationMs: 1000, videoFrames: 2, videoTime: 2, audioTime: 2, audioEnd: null },
    ])
  })

  test('that are shown before the key frame they follow belong to it', () => {
    expect(cuts(pictures('I0 P3 B1 B2 I6 B4 B5 P9 B7 B8'), 1000)).toMatchObject([
      { durationMs: 2000, videoFrames: 4, videoTime: 0 },
      { durationMs: 3000, videoFrames: 6, videoTime: 3 },
    ])
  })

  test('are not cut where one that comes later is shown earlier', () => {
    expect(cuts(pictures('I0 P4 I3 B1 B2 I5 P6'), 1000)).toMatchObject([
      { durationMs: 2500, videoFrames: 5 },
      { durationMs: 1000, videoFrames: 2, videoTime: 2.5 },
    ])
  })

  test('without key frames are cut when they are overdue', () => {
    const list = Array.from({ length: 200 }, (_, index) => ({ time: index, isKey: index === 0, bytes: 1 }))
    const found = cutRecording(list, 200, null, 6000)
    expect(found.map(({ durationMs }) => durationMs)).toEqual([60_000, 60_000, 60_000, 20_000])
  })

  test('that are large are cut before a segment is too large for memory', () => {
    const list = Array.from({ length: 40 }, (_, index) => ({
      time: index,
      isKey: false,
      bytes: 4 * 1024 ** 2,
    }))
    const found = cutRecording(list, 40, null, 6000)
    expect(found.map(({ videoFrames }) => videoFrames)).toEqual([8, 8, 8, 8, 8])
  })

  test('are decoded so early that none is shown before', () => {
    const [first] = cutRecording(pictures('I0 P3 B1 B2 P6 B4 B5'), 3.5, null, 6000)
    expect(first?.slice).toMatchObject({ reorderMs: 500, shiftMs: 500 })
  })
})

describe('sound', () => {
  test('alone is cut by time', () => {
    expect(cuts([], 2000, [-0.02, 5])).toMatchObject([
      { durationMs: 2000, audioTime: null, audioEnd: 1.98 },
      { durationMs: 3020, audioTime: 1.98, audioEnd: null },
    ])
  })

  test('that lasts longer than the pictures goes on without them', () => {
    expect(cuts(pictures('I0 P1'), 40_000, [0, 90])).toMatchObject([
      { durationMs: 1000, videoFrames: 2, audioEnd: 1 },
      { durationMs: 40_000, videoFrames: 0, videoTime: null, audioTime: 1 },
      { durationMs: 49_000, videoFrames: 0, videoTime: null, audioTime: 41, audioEnd: null },
    ])
  })

  test('that begins before zero shifts everything', () => {
    const [first] = cutRecording(pictures('I0 P1'), 1, { start: -0.023, end: 1 }, 1000)
    expect(first?.slice).toMatchObject({ shiftMs: 23 })
  })
})

test('of nothing there are no segments', () => {
  expect(cutRecording([], 0, null, 6000)).toEqual([])
})
