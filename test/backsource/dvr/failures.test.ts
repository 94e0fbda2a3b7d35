import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { DvrStream } from '../../../src/backsource/dvr/dvr-stream.ts'
import type { RecordedFile } from '../../../src/backsource/dvr/recorded-file.ts'
import { RecordingFile } from '../../../src/backsource/dvr/recording-file.ts'
import { recoverAtStart } from '../../../src/backsource/dvr/recover-at-start.ts'
import { readRecordingFacts } from '../../../src/recordings/head.ts'
import { parseUnfinished } from '../../../src/recordings/names.ts'
import { aacFrame } from '../../media/ts/packets.ts'
import { configOf } from '../../support/config.ts'
import { eventually } from '../../support/eventually.ts'
import { recordingLogger } from '../../support/logger.ts'
import { deadPid, livingPid } from '../../support/processes.ts'
import { bodies, frames, headers, headOf, setUp, tagsIn } from './set-up.ts'

const error = (code: string): Error => Object.assign(new Error(`${code}: made up`), { code })

/** Lets the disk take so many bytes more of all recordings, until it is told that there is room. */
function limitDisk(bytes: number) {
  let left = bytes
  const { write } = RecordingFile.prototype
  const spy = vi.spyOn(RecordingFile.prototype, 'write').mockImplementation(async function (
    this: RecordingFile,
    slab: Buffer,
  ) {
    left -= slab.length
    if (left < 0) throw error('ENOSPC')
    await write.call(this, slab)
  })
  onTestFinished(() => spy.mockRestore())
  return {
    makeRoom: (): void => {
      left = Number.POSITIVE_INFINITY
    },
  }
}

/** The clock that pauses are measured with, as far ahead as the test wants it. */
function aheadClock() {
  let aheadMs = 0
  const now = performance.now.bind(performance)
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadMs)
  onTestFinished(() => spy.mockRestore())
  return {
    advance: (ms: number): void => {
      aheadMs += ms
    },
  }
}

/** Waits until writing has failed so often: what goes wrong is seen with the next packet. */
function hasFailed(dvr: DvrStream, times: number, timeMs: number): Promise<void> {
  return eventually(() => {
    dvr.onPacket(aacFrame(timeMs))
    expect(dvr.status.errors).toBe(times)
  })
}

describe('a disk', () => {
  test('that fails once more when a file is closed costs no more', async () => {
    const clock = aheadClock()
    const disk = limitDisk(300_000)
    const { close } = RecordingFile.prototype
    const spy = vi.spyOn(RecordingFile.prototype, 'close').mockImplementationOnce(async function (
      this: RecordingFile,
    ) {
      await close.call(this)
      throw error('EIO')
    })
    onTestFinished(() => spy.mockRestore())
    const { dvr, push, files } = setUp()
    dvr.onRestart()
    push(...headers, ...frames(0, 60))
    await hasFailed(dvr, 1, 60_000)
    await eventually(() => expect(files()).toEqual(['show.flv']))
    disk.makeRoom()
    clock.advance(1000)
    push(...frames(61_000, 2))
    await dvr.close()
    expect(files()).toEqual(['show-1.flv', 'show.flv'])
  })

  test('that is full costs one line, and what it has taken becomes a file; recording goes on with it', async () => {
    const clock = aheadClock()
    const disk = limitDisk(300_000)
    const { dvr, push, files, path, complaints, lines } = setUp()
    dvr.onRestart()
    push(...headers, ...frames(0, 60))
    await hasFailed(dvr, 1, 60_000)
    await eventually(() => expect(files()).toEqual(['show.flv']))
    const whole = tagsIn(path('show.flv'))
    expect(bodies(whole)).toEqual(bodies([...headers, ...frames(0, 60)].slice(0, whole.length)))
    expect(whole.length).toBeGreaterThan(100)
    expect(headOf(path('show.flv')).fileBytes).toBe(readFileSync(path('show.flv')).length)
    // Before its time, nothing is tried.
    push(...frames(60_000, 1))
    expect(dvr.status).toMatchObject({ recording: false, errors: 1 })
    clock.advance(1000)
    push(...frames(61_000, 20))
    await hasFailed(dvr, 2, 81_000)
    disk.makeRoom()
    clock.advance(2000)
    push(...frames(81_000, 2))
    await dvr.close()
    expect(files()).toEqual(['show-1.flv', 'show.flv'])
    expect(bodies(tagsIn(path('show-1.flv')))).toEqual(bodies([...headers, ...frames(0, 2)]))
    expect(complaints()).toMatchObject([{ code: 'DVR_WRITE', reason: 'ENOSPC: made up' }])
    expect(lines.map(({ msg }) => msg)).toContain('dvr: recordings are written again')
    expect(dvr.status).toMatchObject({ errors: 2, files: 2 })
  })

  test('with something in the place of the directory costs one line, and recording comes back', async () => {
    const clock = aheadClock()
    const { dir, dvr, push, files, complaints } = setUp()
    writeFileSync(join(dir, 'live'), 'in the place of the directory')
    dvr.onRestart()
    push(...headers, ...frames(0, 1))
    await eventually(() => expect(dvr.status.errors).toBe(1))
    clock.advance(1000)
    push(...frames(1000, 1))
    await eventually(() => expect(dvr.status.errors).toBe(2))
    rmSync(join(dir, 'live'))
    clock.advance(2000)
    push(...frames(2000, 1))
    await dvr.close()
    expect(files()).toEqual(['show.flv'])
    expect(complaints()).toMatchObject([{ code: 'DVR_WRITE', reason: expect.stringContaining('ENOTDIR') }])
  })

  test('that hangs costs the recording, and bounded memory', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const spy = vi.spyOn(RecordingFile.prototype, 'write').mockImplementation(() => promise)
    onTestFinished(() => spy.mockRestore())
    const { dvr, push, complaints } = setUp()
    dvr.onRestart()
    push(...headers, ...frames(0, 1))
    await eventually(() => expect(dvr.status.recording).toBe(true))
    for (let second = 1; second < 3000 && dvr.status.errors === 0; second += 1)
      push(...frames(second * 1000, 1))
    expect(dvr.status).toMatchObject({ errors: 1, recording: false })
    const [line] = complaints()
    expect(line).toMatchObject({
      code: 'DVR_BEHIND',
      reason: expect.stringMatching(/^\d+ bytes wait for the disk$/),
    })
    expect(Number.parseInt(String(line!.reason), 10)).toBeLessThan(17 * 1024 * 1024)
    resolve()
    await dvr.close()
  })

  test('that does not even open a file is not waited for', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { dvr, push, complaints, files } = setUp('', undefined, promise)
    dvr.onRestart()
    push(...headers)
    for (let second = 0; second < 3000 && dvr.status.errors === 0; second += 1)
      push(...frames(second * 1000, 1))
    expect(dvr.status).toMatchObject({ errors: 1, recording: false })
    expect(complaints()).toMatchObject([{ code: 'DVR_BEHIND' }])
    resolve()
    await dvr.close()
    expect(files()).toEqual([])
  })
})

/** A recording that looks like what a process left that was killed: not finished, and cut off. */
async function leftBy(tag: string | number, name = 'show.flv', cutBytes = 100) {
  const directives = name.endsWith('.mp4') ? 'dvr_path DIR/[app]/[stream].mp4;' : ''
  const { dir, dvr, push, files, path } = setUp(directives)
  dvr.onRestart()
  push(...headers, ...frames(0, 8))
  const left = join(dir, 'left')
  // Without its end: as long as it is written, its head says nothing of that.
  const finish = vi.spyOn(RecordingFile.prototype, 'finish').mockImplementation(async function (
    this: RecordingFile,
  ) {
    await this.close()
    renameSync(this.path, left)
    return this.finalPath
  })
  await dvr.close()
  finish.mockRestore()
  truncateSync(left, readFileSync(left).length - cutBytes)
  const unfinished = path(`${name}.${tag}.1.tmp`)
  mkdirSync(dirname(unfinished), { recursive: true })
  renameSync(left, unfinished)
  return { dir, files, path, unfinished, directives }
}

describe('what a killed process left', () => {
  test('is finished when the stream is recorded again, and a file of its own', async () => {
    const { dir, path } = await leftBy(await deadPid())
    const { dvr, publish, files, recorded, told, complaints } = setUp('', dir)
    publish(1)
    await dvr.close()
    expect(files()).toEqual(['show-1.flv', 'show.flv'])
    const { facts, fileBytes, points } = headOf(path('show.flv'))
    const tags = tagsIn(path('show.flv'))
    expect(fileBytes).toBe(readFileSync(path('show.flv')).length)
    // All but the last one, which was cut.
    expect(bodies(tags)).toEqual(bodies([...headers, ...frames(0, 8)].slice(0, -1)))
    expect(facts).toMatchObject({ durationMs: 8000, video: 'H264', audio: 'AAC', stream: 'show' })
    expect(points.map(({ timeMs }) => timeMs)).toEqual([0, 1000, 2000, 3000, 4000, 5000, 6000, 7000])
    expect(recorded.map(({ file }) => file)).toEqual([path('show.flv'), path('show-1.flv')])
    expect(told).toEqual(['nobody', 'client1'])
    expect(complaints()).toEqual([])
  })

  test('of an MP4 file is cut to its last whole fragment', async () => {
    const { dir, path, directives } = await leftBy(await deadPid(), 'show.mp4')
    const { dvr, recorded } = setUp(directives, dir)
    await dvr.close()
    expect(await readRecordingFacts(path('show.mp4'))).toMatchObject({ durationMs: 7010 })
    expect(recorded).toMatchObject([{ file: path('show.mp4'), durationMs: 7010 }])
  })

  test.each(['flv', 'mp4'])('of a file that grows is gone on with (%s)', async (format) => {
    const { dir, path, directives } = await leftBy(await deadPid(), `show.${format}`)
    const { dvr, publish, files } = setUp(`dvr_plan append; ${directives}`, dir)
    publish(1)
    await dvr.close()
    expect(files()).toEqual([`show.${format}`])
    const facts = await readRecordingFacts(path(`show.${format}`))
    expect(facts?.durationMs).toBe((format === 'flv' ? 8000 : 7010) + 1010)
  })

  test('is left alone as long as its process lives', async () => {
    const { dir, unfinished } = await leftBy(await livingPid())
    const before = readFileSync(unfinished)
    const { dvr, publish } = setUp('', dir)
    publish(1)
    await dvr.close()
    expect(readFileSync(unfinished).equals(before)).toBe(true)
  })

  test('is finished also when another process has the pid now', async () => {
    const { dir, files } = await leftBy(`${await livingPid()}-1`)
    const { dvr } = setUp('', dir)
    await dvr.close()
    expect(files()).toEqual(['show.flv'])
  })

  test('is deleted when there is not one frame in it', async () => {
    const { dir, unfinished, files } = await leftBy(await deadPid())
    truncateSync(unfinished, 1000)
    const { dvr, complaints } = setUp('', dir)
    await dvr.close()
    expect(files()).toEqual([])
    expect(complaints()).toEqual([])
  })

  test('is cut where what follows is no media: zeros that a machine left that lost its power', async () => {
    const { dir, unfinished, path } = await leftBy(await deadPid(), 'show.flv', 0)
    writeFileSync(unfinished, Buffer.concat([readFileSync(unfinished), Buffer.alloc(5000)]))
    const { dvr } = setUp('', dir)
    await dvr.close()
    expect(bodies(tagsIn(path('show.flv')))).toEqual(bodies([...headers, ...frames(0, 8)]))
  })

  test('of all streams is finished at the start of the server', async () => {
    const { dir, files, path } = await leftBy(await deadPid())
    const { logger, lines } = recordingLogger()
    const recorded: RecordedFile[] = []
    const config = configOf(`vhost a { dvr { enabled on; dvr_path ${dir}/[app]/[stream].flv; } }`)
    await recoverAtStart(config, logger, { onRecorded: (file) => recorded.push(file) })
    expect(files()).toEqual(['show.flv'])
    expect(recorded).toMatchObject([{ file: path('show.flv'), durationMs: 8000, stream: 'show' }])
    expect(lines.map(({ msg }) => msg)).toEqual(['dvr: finished what was left of a recording'])
  })

  test('where nobody records is left alone', async () => {
    const { dir, unfinished } = await leftBy(await deadPid())
    const { logger } = recordingLogger()
    const config = configOf(`vhost a { dvr { enabled off; dvr_path ${dir}/[app]/[stream].flv; } }`)
    await recoverAtStart(config, logger, { onRecorded: () => expect.unreachable() })
    expect(existsSync(unfinished)).toBe(true)
  })
})

test('the name of a file that is written says whose it is', () => {
  expect(parseUnfinished('/d/show.flv.12-345.7.tmp')).toEqual({ name: '/d/show.flv', tag: '12-345' })
  expect(parseUnfinished('/d/show.mp4.12.7.tmp')).toEqual({ name: '/d/show.mp4', tag: '12' })
  for (const name of ['show.flv', 'show.flv.tmp', 'show.m3u8.12.ts.tmp', 'show.flv.12.tmp']) {
    expect(parseUnfinished(name)).toBeNull()
  }
})
