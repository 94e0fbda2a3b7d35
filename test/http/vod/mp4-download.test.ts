import { describe, expect, test } from 'vitest'
import { bytesOf, layOut, type Mp4Part, rangeOf } from '../../../src/http/vod/mp4-download.ts'
import type { RecordingIndex } from '../../../src/media/vod/recording.ts'

/** Three segments of sound: 100, 200 and 300 bytes of frames. */
const index: RecordingIndex = {
  periods: [],
  segments: [100, 200, 300].map((frameBytes) => ({
    period: 0,
    durationMs: 1000,
    videoFrames: 0,
    audioFrames: 1,
    frameBytes,
    slice: { kind: 'flv', start: 0, end: 0, timestamp: 0, timeMs: 0 },
  })),
  leadMs: 7,
  leftOut: [],
}

const layout = layOut(index, Buffer.alloc(50, 0))

/** Each part is filled with its number. */
async function bytes(start: number, end: number): Promise<{ content: Buffer; made: number[] }> {
  const made: number[] = []
  const make = async ({ sequence, bytes }: Mp4Part) => {
    made.push(sequence)
    return Buffer.alloc(bytes, sequence)
  }
  const pieces: Uint8Array[] = []
  for await (const piece of bytesOf(layout, start, end, make)) pieces.push(piece)
  return { content: Buffer.concat(pieces), made }
}

describe('an MP4 file that is not there', () => {
  test('has its parts one behind the other', () => {
    const ends = layout.parts.map(({ at, bytes }) => at + bytes)
    expect(layout.parts.map(({ at }) => at)).toEqual([50, ends[0], ends[1]])
    expect(layout.bytes).toBe(ends[2])
    expect(layout.parts.map(({ sequence, startMs }) => [sequence, startMs])).toEqual([
      [1, 7],
      [2, 1007],
      [3, 2007],
    ])
  })

  test('gives any of its bytes, and makes no more parts than that needs', async () => {
    const { content: whole, made } = await bytes(0, layout.bytes)
    expect(made).toEqual([1, 2, 3])
    expect(whole).toHaveLength(layout.bytes)
    const second = layout.parts[1]!
    for (const [start, end, parts] of [
      [0, 50, []],
      [10, 60, [1]],
      [second.at, second.at + 1, [2]],
      [second.at - 1, second.at + second.bytes, [1, 2]],
      [second.at + second.bytes, layout.bytes, [3]],
    ] as const) {
      const part = await bytes(start, end)
      expect(part.content).toEqual(whole.subarray(start, end))
      expect(part.made).toEqual(parts)
    }
  })

  test('ends with an error when a part is not as large as it should be', async () => {
    const broken = bytesOf(layout, 0, layout.bytes, async () => Buffer.alloc(1))
    await broken.next()
    await expect(broken.next()).rejects.toThrow('part 1 has 1 of')
  })
})

describe('a range', () => {
  test.each([
    ['bytes=0-', { start: 0, end: 100 }],
    ['bytes=10-19', { start: 10, end: 20 }],
    ['bytes=90-200', { start: 90, end: 100 }],
    ['bytes=-10', { start: 90, end: 100 }],
    ['bytes=-200', { start: 0, end: 100 }],
    ['bytes=100-', 'unsatisfiable'],
    ['bytes=5-4', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=-', 'whole'],
    ['bytes=0-1,5-6', 'whole'],
    ['seconds=0-1', 'whole'],
  ])('%s', (range, expected) => {
    expect(rangeOf({ range }, 100, '"a"')).toEqual(expected)
  })

  test('of another state of the file is none', () => {
    expect(rangeOf({ range: 'bytes=1-2', 'if-range': '"b"' }, 100, '"a"')).toBe('whole')
    expect(rangeOf({ range: 'bytes=1-2', 'if-range': '"a"' }, 100, '"a"')).toEqual({ start: 1, end: 3 })
    expect(rangeOf({}, 100, '"a"')).toBe('whole')
  })
})
