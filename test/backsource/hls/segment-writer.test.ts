import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { WriteQueue } from '../../../src/backsource/disk/write-queue.ts'
import { SegmentFile } from '../../../src/backsource/hls/segment-file.ts'
import { SegmentWriter } from '../../../src/backsource/hls/segment-writer.ts'
import { tempDir } from '../../support/temp-dir.ts'

const start = { atMs: 0, timestamp: 0, sequence: null, discontinuity: false }

function setUp() {
  const dir = tempDir()
  const queue = new WriteQueue()
  const contents: (string | Error)[] = []
  const givenUp: Error[] = []
  let files = 0
  const writer = new SegmentWriter(queue, {
    newFile: () => {
      files += 1
      return new SegmentFile(join(dir, `${files}.tmp`), start, null)
    },
    async onWritten(file) {
      if (file.error === null) await file.finish()
      else await file.discard()
      contents.push(file.error ?? readFileSync(file.path, 'latin1'))
    },
    onGivenUp: (error) => givenUp.push(error),
  })
  /** Writes a segment of one letter, in pieces. */
  const write = (letter: string, bytes: number, piece: number): string => {
    writer.beginSegment(start)
    for (let left = bytes; left > 0; left -= piece) {
      const size = Math.min(piece, left)
      const target = writer.reserve(size)
      target.fill(letter, writer.length, writer.length + size)
      writer.advance(writer.length + size)
    }
    writer.endSegment(1000)
    return letter.repeat(bytes)
  }
  return { queue, writer, write, contents, givenUp }
}

test('segments are written whole and in order, whatever they are written in', async () => {
  const { queue, write, contents } = setUp()
  const expected = [
    write('a', 10, 3),
    write('b', 400_000, 188),
    write('c', 1_000_000, 400_000),
    write('d', 131_036 * 2, 131_036),
    write('e', 0, 1),
    write('f', 300_000, 100_000),
  ]
  await queue.drained()
  expect(contents.map((content) => (content instanceof Error ? content.message : content.length))).toEqual(
    expected.map((content) => content.length),
  )
  expect(contents).toEqual(expected)
})

test('a disk that hangs costs segments, but no memory and no order', async () => {
  const { queue, write, contents, givenUp } = setUp()
  const { promise: hang, resolve: goOn } = Promise.withResolvers<void>()
  queue.add(() => hang)
  const first = write('a', 10 * 1024 * 1024, 100_000)
  write('b', 10 * 1024 * 1024, 100_000)
  write('c', 10 * 1024 * 1024, 100_000)
  write('d', 1000, 1000)
  expect(queue.bytes).toBeLessThan(18 * 1024 * 1024)
  expect(givenUp).toEqual([
    expect.objectContaining({ code: 'HLS_BEHIND' }),
    expect.objectContaining({ code: 'HLS_BEHIND' }),
  ])
  goOn()
  await queue.drained()
  const last = write('e', 1000, 1000)
  await queue.drained()
  expect(contents[0]).toBe(first)
  expect(contents[1]).toMatchObject({ code: 'HLS_BEHIND' })
  expect(contents[2]).toBe(last)
  expect(contents).toHaveLength(3)
})
