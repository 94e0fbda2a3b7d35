import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { VodPool, type VodPoolLimits } from '../../../src/http/vod/vod-pool.ts'
import { aacFrame, aacHeader, avcFrame, avcHeader } from '../../media/ts/packets.ts'
import { parseTs } from '../../media/ts/ts-parser.ts'
import { flvFile } from '../../media/vod/flv-files.ts'
import { tempDir } from '../../support/temp-dir.ts'

function setUp(limits: VodPoolLimits = { threads: 1, queue: 8 }) {
  const pool = new VodPool(limits, (error) => {
    throw error
  })
  onTestFinished(() => pool.destroy())
  const dir = tempDir()
  const put = (name: string, content: Buffer | string) => {
    const path = join(dir, name)
    writeFileSync(path, content)
    return { kind: 'index' as const, file: { path, version: '1' }, fragmentMs: 1000 }
  }
  return { pool, dir, put }
}

const recording = flvFile([
  avcHeader(),
  aacHeader(),
  ...Array.from({ length: 75 }, (_, index) => [
    avcFrame(index % 25 === 0, index * 40),
    aacFrame(index * 40),
  ]).flat(),
])

describe('the threads', () => {
  test('look through a recording and make its segments', async () => {
    const { pool, put } = setUp()
    const { file, ...task } = put('a.flv', recording)
    const { segments, periods } = await pool.index({ ...task, file })
    expect(segments.map(({ durationMs }) => durationMs)).toEqual([1000, 1000, 1000])
    const bytes = await pool.bytes({ kind: 'ts', file, period: periods[0]!, segment: segments[1]! })
    const { pes } = parseTs(Buffer.from(bytes))
    expect(pes.length).toBeGreaterThan(25)
    expect(bytes.buffer.byteLength).toBe(bytes.byteLength)
  })

  test('say with its code what is wrong', async () => {
    const { pool, put, dir } = setUp()
    const found = (name: string, content: Buffer | string) => pool.index(put(name, content))
    await expect(found('text.flv', 'no FLV at all')).rejects.toMatchObject({ code: 'FLV_FORMAT' })
    await expect(found('empty.flv', flvFile([]))).rejects.toMatchObject({ code: 'VOD_BROKEN' })
    await expect(found('text.mp4', 'no MP4 at all, but long enough')).rejects.toMatchObject({
      code: 'VOD_FORMAT',
    })
    const missing = { ...put('x.flv', ''), file: { path: join(dir, 'none.flv'), version: '1' } }
    await expect(pool.index(missing)).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('notice that a file is no longer the one that was looked through', async () => {
    const { pool, put } = setUp()
    const task = put('a.flv', recording)
    const { segments, periods } = await pool.index(task)
    const last = { kind: 'ts' as const, file: task.file, period: periods[0]!, segment: segments[2]! }
    put('a.flv', recording.subarray(0, recording.length - 1000))
    await expect(pool.bytes(last)).rejects.toMatchObject({ code: 'VOD_BROKEN' })
    put('a.flv', Buffer.alloc(recording.length, 8))
    await expect(pool.bytes(last)).rejects.toMatchObject({ code: 'VOD_BROKEN' })
  })

  test('take no more than may wait for them', async () => {
    const { pool, put } = setUp({ threads: 1, queue: 2 })
    const task = put('a.flv', recording)
    const results = await Promise.allSettled(Array.from({ length: 5 }, () => pool.index(task)))
    expect(results.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ])
    expect(results[4]).toMatchObject({ reason: { code: 'VOD_BUSY' } })
    await expect(pool.index(task)).resolves.toMatchObject({ leftOut: [] })
  })
})
