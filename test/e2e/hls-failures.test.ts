import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { processTag } from '../../src/base/process-tag.ts'
import { parsePlaylist } from '../../src/media/hls/playlist.ts'
import { publishFile } from './support/ffmpeg.ts'
import { discontinuitiesOf, HlsFiles, lastSequence } from './support/hls.ts'
import { LivePair } from './support/live-pair.ts'
import { media } from './support/media.ts'
import { isRunning } from './support/processes.ts'
import { backSourcesOf, type Server, workersOf } from './support/server.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { complaintsAbout } from './support/transport-stream.ts'
import { until, within } from './support/until.ts'

/** Faster than in real time. */
const rate = 4

async function checkAll(hls: HlsFiles): Promise<void> {
  expect(await hls.complaints()).toBe('')
  for (const { uri } of hls.playlist!.segments) expect(await complaintsAbout(join(hls.dir, uri))).toBe('')
}

/** The same segments, as far as the older playlist goes. */
function expectGoesOn(
  before: NonNullable<HlsFiles['playlist']>,
  after: NonNullable<HlsFiles['playlist']>,
): void {
  expect(after.mediaSequence).toBe(before.mediaSequence)
  expect(after.segments.slice(0, before.segments.length)).toEqual(before.segments)
}

async function backSourcePid(server: Server): Promise<number> {
  const [backSource] = backSourcesOf(await server.status(), 'one')
  return backSource!.pid
}

test('when a back-source is killed its successor takes over what it wrote, and goes on', async () => {
  const { server, hls } = await HlsFiles.start()
  publishFile(media().clip, server.url('one'), { loop: true, rate })
  await hls.has(2)
  const pid = await backSourcePid(server)
  // With some of the next segment on the disk.
  const part = `.${processTag(pid)}.ts.tmp`
  await until('a part of a segment', () => hls.names.find((name) => name.includes(part)))
  process.kill(pid, 'SIGKILL')
  const before = hls.playlist!
  const next = lastSequence(before) + 1
  const after = await hls.has(next + 4)
  expectGoesOn(before, after)
  expect(discontinuitiesOf(after)).toEqual([next, next + 1])
  expect(await backSourcePid(server)).not.toBe(pid)
  await server.stop()
  expect(hls.names.filter((name) => name.endsWith('.tmp'))).toEqual([])
  await checkAll(hls)
})

test('when a back-source drains it finishes its last segment, and its successor goes on', async () => {
  const { server, hls } = await HlsFiles.start()
  publishFile(media().clip, server.url('one'), { loop: true, rate })
  await hls.has(2)
  const pid = await backSourcePid(server)
  process.kill(pid, 'SIGQUIT')
  await until('the back-source to end', () => !isRunning(pid))
  const before = hls.playlist!
  const after = await hls.has(lastSequence(before) + 3)
  expectGoesOn(before, after)
  expect(discontinuitiesOf(after)).toEqual([lastSequence(before) + 1])
  await server.stop()
  await checkAll(hls)
})

test('HLS in memory is served without a file on the disk, whichever process dies, and goes with the server', async () => {
  const { server, hls } = await HlsFiles.start(
    { hls_storage: 'ram', hls_mount: '[vhost]/mem/[app]/[stream].m3u8' },
    { httpWorkers: 1 },
  )
  const url = `http://127.0.0.1:${server.httpPort}/mem/live/one.m3u8`
  const inMemory = (): string[] =>
    readdirSync('/dev/shm').filter((name) => name.includes(`-${server.master.pid}-`))
  const served = async (count: number): Promise<NonNullable<HlsFiles['playlist']>> =>
    until(`${count} segments over HTTP`, async () => {
      const response = await fetch(url).catch(() => null)
      const playlist = response?.ok ? parsePlaylist(await response.text()) : null
      return playlist !== null && playlist.segments.length >= count && playlist
    })
  publishFile(media().clip, server.url('one'), { loop: true, rate })
  const before = await served(2)
  const [http] = workersOf(await server.status(), 'http')
  process.kill(await backSourcePid(server), 'SIGKILL')
  process.kill(http!.pid, 'SIGKILL')
  const after = await served(before.segments.length + 3)
  expectGoesOn(before, after)
  expect(before.mediaSequence).toBeGreaterThan(1_700_000_000)
  expect(await hls.complaints(url)).toBe('')
  expect([hls.names, inMemory()]).toEqual([[], [expect.any(String)]])
  await server.stop()
  expect(inMemory()).toEqual([])
})

test('after the whole server was killed, the next one goes on', async () => {
  const { server, hls } = await HlsFiles.start()
  publishFile(media().clip, server.url('one'), { loop: true, rate })
  const before = await hls.has(2)
  for (const { pid } of server.processes()) process.kill(pid, 'SIGKILL')
  await until('all processes to be gone', () => server.processes().length === 0)
  await server.start()
  publishFile(media().clip, server.url('one'), { loop: true, rate })
  const after = await hls.has(lastSequence(before) + 4)
  expectGoesOn(before, after)
  await server.stop()
  expect(hls.names.filter((name) => name.endsWith('.tmp'))).toEqual([])
  await checkAll(hls)
})

test('a disk that cannot be written to costs HLS and nothing else, and HLS comes back with it', async () => {
  const { server, hls } = await HlsFiles.start({ hls_fragment: 1 })
  mkdirSync(dirname(hls.dir), { recursive: true })
  writeFileSync(hls.dir, 'in the place of the directory')
  const live = await LivePair.start(server.url('one'))
  const line = await server.waitForLog({ code: 'HLS_WRITE' })
  expect(line).toMatchObject({
    level: 'error',
    stream: 'live/one',
    reason: expect.stringContaining('ENOTDIR'),
  })
  await server.waitForStatus('a second lost segment', (status) =>
    backSourcesOf(status, 'one').some(({ streams }) =>
      streams.some((stream) => (stream.hls?.lost ?? 0) >= 2),
    ),
  )
  await live.goesOn()
  rmSync(hls.dir)
  await server.waitForLog({ msg: 'hls: segments are written again' })
  await hls.has(1)
  await live.goesOn()
  expect(server.logs().filter(({ code }) => code === 'HLS_WRITE')).toHaveLength(1)
  await live.close()
})

test('hls_on_error disconnect closes the publisher, who may come again', async () => {
  const { server, hls } = await HlsFiles.start({ hls_fragment: 1, hls_on_error: 'disconnect' })
  mkdirSync(dirname(hls.dir), { recursive: true })
  writeFileSync(hls.dir, 'in the place of the directory')
  const publisher = await TestPublisher.publish(server.url('one'))
  publisher.goLive()
  await within('the publisher to be closed', publisher.ended)
  await server.waitForLog({ role: 'stream', cid: publisher.served.connectionId, code: 'HLS_WRITE' })
  rmSync(hls.dir)
  const again = await TestPublisher.publish(server.url('one'))
  again.goLive()
  await hls.has(1)
})

test('hls_on_error ignore stops HLS, and the stream goes on', async () => {
  const { server, hls } = await HlsFiles.start({ hls_fragment: 1, hls_on_error: 'ignore' })
  mkdirSync(dirname(hls.dir), { recursive: true })
  writeFileSync(hls.dir, 'in the place of the directory')
  const live = await LivePair.start(server.url('one'))
  await server.waitForLog({ code: 'HLS_WRITE' })
  rmSync(hls.dir)
  await live.goesOn()
  await live.player.hasMore(100)
  expect(hls.names).toEqual([])
  await live.close()
})
