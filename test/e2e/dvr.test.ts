import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readRecordingFacts } from '../../src/recordings/head.ts'
import { framesOfFile, publishFile } from './support/ffmpeg.ts'
import { fromZero } from './support/frames.ts'
import { LivePair } from './support/live-pair.ts'
import { media } from './support/media.ts'
import { type ServerOptions, startServer } from './support/server.ts'
import { until } from './support/until.ts'

/** Faster than in real time. */
const rate = 5

/** Virtual hosts that record in different ways; the default one does not. */
const recorders: Readonly<Record<string, string>> = {
  session: 'dvr_path ./html/[vhost]/[stream].flv;',
  movie: 'dvr_path ./html/[vhost]/[stream].mp4;',
  append: 'dvr_plan append; dvr_path ./html/[vhost]/[stream].flv;',
}

/** @param changes what virtual hosts have instead */
function options(changes: Readonly<Record<string, string>> = {}): ServerOptions {
  const vhosts = Object.entries({ ...recorders, ...changes })
  const more = vhosts.map(([name, lines]) => `vhost ${name} { dvr { enabled on; ${lines} } }`)
  return { httpWorkers: 1, more: more.join('\n') }
}

async function setUp() {
  const server = await startServer(options())
  const url = (vhost: string): string => `rtmp://127.0.0.1:${server.port}/live?vhost=${vhost}/show`
  const dir = (vhost: string): string => join(server.htmlDir, vhost)
  const names = (vhost: string): string[] => (existsSync(dir(vhost)) ? readdirSync(dir(vhost)).sort() : [])
  const files = (vhost: string): string[] => names(vhost).map((name) => join(dir(vhost), name))
  const recorded = (vhost: string): number =>
    server.logs().filter(({ msg, stream }) => msg === 'dvr: recorded' && stream === `${vhost}/live/show`)
      .length
  return {
    ...{ server, url, dir, names, files },
    /** Whether there is an unfinished recording, with so many bytes at least on the disk. */
    isWritten: (vhost: string, leastBytes = 0) =>
      files(vhost).some(
        (file) =>
          file.endsWith('.tmp') && (statSync(file, { throwIfNoEntry: false })?.size ?? -1) >= leastBytes,
      ),
    /** Publishes the clip and waits until it is recorded. */
    async publish(vhost: string): Promise<void> {
      const before = recorded(vhost)
      const { status, stderr } = await publishFile(media().clip, url(vhost), { rate }).exited
      expect(stderr).toBe('')
      expect(status).toBe(0)
      await until(
        `a recording of ${vhost}`,
        () => recorded(vhost) > before && !names(vhost).some((name) => name.endsWith('.tmp')),
      )
    },
  }
}

/** The checksums of a file's video frames, and of its audio frames, as ffmpeg reads them. */
async function checksums(file: string): Promise<{ video: string[]; audio: string[] }> {
  const { video, audio } = await framesOfFile(file)
  return { video: video.frames.map(({ md5 }) => md5), audio: audio.frames.map(({ md5 }) => md5) }
}

test('what is recorded is what was published', async () => {
  const { files, publish } = await setUp()
  await Promise.all(['session', 'movie'].map(publish))
  const published = await framesOfFile(media().clip)
  for (const vhost of ['session', 'movie']) {
    const recorded = await framesOfFile(files(vhost)[0]!)
    expect(fromZero(recorded.video.frames)).toEqual(fromZero(published.video.frames))
    expect(fromZero(recorded.audio.frames)).toEqual(fromZero(published.audio.frames))
  }
})

test('when a back-source is killed, and when everything is, what was recorded becomes files that play', async () => {
  const { server, url, names, files, isWritten, publish } = await setUp()
  // Another one is in its place already, or is gone on with.
  await Promise.all(['session', 'append'].map(publish))
  for (const vhost of Object.keys(recorders)) publishFile(media().clip, url(vhost), { rate, loop: true })
  await until('some of each to be on the disk', async () => {
    const { streams } = (await (await fetch(server.httpUrl('/api/v1/streams'))).json()) as {
      streams: { dvr: { bytes: number } | null }[]
    }
    return (
      Object.keys(recorders).every((vhost) => isWritten(vhost)) &&
      streams.filter(({ dvr }) => dvr!.bytes > 600_000).length === 3
    )
  })
  // Who takes the stream over makes a file of what the one before has left, and begins another.
  const held = (await server.status()).workers.find(
    ({ role, streams }) =>
      role === 'back-source' && streams.some(({ stream }) => stream.startsWith('session/')),
  )
  process.kill(held!.pid, 'SIGKILL')
  await until('its recording to be whole, and another', () => {
    // Less could not be played: it would be nothing but a beginning.
    return names('session').includes('show-1.flv') && isWritten('session', 300_000)
  })
  for (const { pid } of server.processes()) process.kill(pid, 'SIGKILL')
  await until('all processes to be gone', () => server.processes().length === 0)
  await server.start()
  await until(
    'the recordings to be finished',
    () => !Object.keys(recorders).some((vhost) => isWritten(vhost)),
  )
  expect(names('session')).toEqual(['show-1.flv', 'show-2.flv', 'show.flv'])
  expect(names('movie')).toEqual(['show.mp4'])
  expect(names('append')).toEqual(['show.flv'])
  const published = await checksums(media().clip)
  for (const vhost of Object.keys(recorders)) {
    const { video, audio } = await checksums(files(vhost)[0]!)
    // Nothing of what came first is missing, whatever the last moments cost.
    expect(video.slice(0, 50)).toEqual(published.video.slice(0, 50))
    expect(audio.slice(0, 50)).toEqual(published.audio.slice(0, 50))
    expect(audio.length).toBeGreaterThan(100)
  }
})

test('a reload turns recording on, changes it and turns it off while a stream runs, and nobody notices', async () => {
  const { server, names, files } = await setUp()
  const live = await LivePair.start(server.url('show'))
  const vhost = '__defaultVhost__'
  const reload = async (dvr: string): Promise<void> => {
    server.configure({ ...options(), vhost: dvr })
    await server.reload()
  }
  await reload('dvr { enabled on; dvr_path ./html/[vhost]/[stream].flv; }')
  await until('a recording', () => names(vhost).some((name) => name.startsWith('show.flv.')))
  await live.goesOn()
  await reload('dvr { enabled on; dvr_path ./html/[vhost]/[stream]-other.flv; }')
  await until(
    'the first one to be whole, and another',
    () => names(vhost).includes('show.flv') && names(vhost).length === 2,
  )
  await live.goesOn()
  await reload('')
  await until('both to be whole', () => names(vhost).join() === 'show-other.flv,show.flv')
  await live.goesOn()
  for (const file of files(vhost)) expect(await readRecordingFacts(file)).toMatchObject({ stream: 'show' })
  const answer = await fetch(server.httpUrl('/api/v1/recordings?app=live&stream=show'))
  const { recordings } = (await answer.json()) as { recordings: { url: string; state: string }[] }
  expect(recordings.map(({ url, state }) => [url, state])).toEqual([
    [`/${vhost}/show-other.flv`, 'finished'],
    [`/${vhost}/show.flv`, 'finished'],
  ])
  const played = await fetch(server.httpUrl(recordings[0]!.url))
  expect(Buffer.from(await played.arrayBuffer()).equals(readFileSync(files(vhost)[0]!))).toBe(true)
})

test('where the disk cannot be written to, the stream goes on, and recording comes back with it', async () => {
  const { server, dir, files } = await setUp()
  mkdirSync(server.htmlDir)
  writeFileSync(dir('session'), 'in the place of the directory')
  const live = await LivePair.start(`rtmp://127.0.0.1:${server.port}/live?vhost=session/show`)
  const line = await server.waitForLog({ code: 'DVR_WRITE' })
  expect(line).toMatchObject({ level: 'error', stream: 'session/live/show' })
  await live.goesOn()
  rmSync(dir('session'))
  await until('a recording', () => files('session').length === 1)
  await live.goesOn()
  await live.close()
  await server.stop()
  expect(server.logs().filter(({ code }) => code === 'DVR_WRITE')).toHaveLength(1)
  expect(await readRecordingFacts(files('session')[0]!)).toMatchObject({ stream: 'show' })
})
