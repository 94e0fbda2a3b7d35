import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { audioType } from '../../src/media/packet.ts'
import { Command, run } from './support/command.ts'
import { probe, publishFile } from './support/ffmpeg.ts'
import { parseTrack } from './support/frames.ts'
import { LivePair } from './support/live-pair.ts'
import { media } from './support/media.ts'
import { type Server, startServer } from './support/server.ts'
import { frames, headers } from './support/synthetic.ts'
import { take } from './support/take.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until } from './support/until.ts'
import { RawViewer } from './support/web-player.ts'

const mounts = ['flv', 'ts', 'aac', 'mp3'].map((kind) => `[vhost]/[app]/[stream].${kind}`).join(' ')

/** A server with all formats, on which a stream ends soon after its publisher has left. */
function startFormatsServer(remux = ''): Promise<Server> {
  const vhost = `http_remux { enabled on; hstrs_timeout 60; mount ${mounts}; ${remux} }`
  return startServer({ httpWorkers: 1, vhost, settings: { source_linger: 1 } })
}

/** Whole packets of a transport stream. */
const packetBytes = 188

/** What ffmpeg says when a body without a length ends, as this one does. */
const endOfBody = /Stream ends prematurely|Input\/output error|Last message repeated/

/** The checksums of a track, after ffmpeg has done with it what `options` say, and its complaints. */
async function checksums(
  input: string,
  ...options: string[]
): Promise<{ md5s: string[]; complaints: string[] }> {
  const quiet = ['-hide_banner', '-nostdin', '-loglevel', 'warning']
  const command = new Command('ffmpeg', [...quiet, '-i', input, ...options, '-f', 'framemd5', 'pipe:1'])
  const { stdout, stderr } = await command.exited
  return {
    md5s: parseTrack(stdout).frames.map(({ md5 }) => md5),
    complaints: stderr.split('\n').filter((line) => line !== '' && !endOfBody.test(line)),
  }
}

const decodedVideo = ['-map', '0:v', '-fps_mode', 'passthrough']
const plainAac = ['-map', '0:a', '-c', 'copy', '-bsf:a', 'aac_adtstoasc']
const plainAudio = ['-map', '0:a', '-c', 'copy']

/** Publishes a file once, to viewers that wait for it. */
async function publishTo(server: Server, file: string, viewers: number): Promise<void> {
  await until('the viewers to wait', () => accepted(server) === viewers)
  const publisher = publishFile(file, server.url('one'), { rate: 6 })
  await publisher.exited
}

function accepted(server: Server): number {
  return server.logs().filter(({ role, msg }) => role === 'http' && msg === 'accepted').length
}

describe('HTTP-TS', () => {
  test('ffmpeg decodes every picture and takes every sound as they were published, without a complaint', async () => {
    const server = await startFormatsServer()
    const url = server.httpUrl('/live/one.ts')
    const playing = [checksums(url, ...decodedVideo), checksums(url, ...plainAac)]
    await publishTo(server, media().clip, 2)
    const [video, audio] = await Promise.all(playing)
    expect(video!.md5s).toEqual((await checksums(media().clip, ...decodedVideo)).md5s)
    expect(audio!.md5s).toEqual((await checksums(media().clip, ...plainAudio)).md5s)
    expect(video!.complaints).toEqual([])
  })

  test('a late viewer begins with tables and a key frame; over WebSocket it gets the same', async () => {
    const server = await startFormatsServer()
    publishFile(media().clip, server.url('one'), { loop: true })
    await server.waitForLog({ msg: 'source: publisher attached' })
    const tracks = await probe(server.httpUrl('/live/one.ts'))
    expect(tracks.map(({ codec_name }) => codec_name).toSorted()).toEqual(['aac', 'h264'])
    for (const carrier of ['http', 'ws'] as const) {
      const viewer = await RawViewer.open(server.httpUrl('/live/one.ts'), carrier)
      const bytes = await viewer.has(100 * packetBytes)
      const starts = Array.from({ length: 100 }, (_, index) => bytes[index * packetBytes])
      expect(new Set(starts)).toEqual(new Set([0x47]))
      // The program association table has the packet id 0.
      expect(bytes.readUInt16BE(1) & 0x1fff).toBe(0)
    }
  })
})

describe('HTTP-AAC', () => {
  test('every frame of the stream, and nothing else', async () => {
    const server = await startFormatsServer()
    const playing = checksums(server.httpUrl('/live/one.aac'), ...plainAac)
    await publishTo(server, media().clip, 1)
    expect((await playing).md5s).toEqual((await checksums(media().clip, ...plainAudio)).md5s)
  })

  test('fast_cache: a late listener gets the last seconds at once', async () => {
    const server = await startFormatsServer('fast_cache 1;')
    const url = server.httpUrl('/live/one.aac')
    const publisher = await TestPublisher.publish(server.url('one'))
    const early = RawViewer.open(url)
    await until('the listener to wait', () => accepted(server) === 1)
    const [, , aacHeader] = headers()
    const sound = take(frames(), 2 * 127).filter(({ type }) => type === audioType)
    const frameBytes = 7 + 100
    await publisher.send([aacHeader!, ...sound.slice(0, 100)])
    const listener = await early
    await listener.has(100 * frameBytes)
    await publisher.send(sound.slice(100, 126))
    await listener.has(126 * frameBytes)
    await publisher.send(sound.slice(126))
    const all = await listener.has(127 * frameBytes)
    const late = await RawViewer.open(url)
    const got = await late.has(26 * frameBytes)
    // 40 ms each: 26 of them are a second, and they come in what was flushed together.
    expect(all.subarray(-got.length)).toEqual(got)
    expect(got.length).toBeLessThanOrEqual(27 * frameBytes)
  })
})

describe('HTTP-MP3', () => {
  test('every frame of the stream; as AAC there is none of it', async () => {
    const server = await startFormatsServer()
    const file = join(server.dir, 'mp3.flv')
    await run('ffmpeg', [
      '-loglevel',
      'error',
      '-i',
      media().clip,
      '-c:v',
      'copy',
      '-c:a',
      'libmp3lame',
      file,
    ])
    const playing = checksums(server.httpUrl('/live/one.mp3'), ...plainAudio)
    const refused = fetch(server.httpUrl('/live/one.aac'))
    await publishTo(server, file, 2)
    expect((await refused).status).toBe(404)
    expect((await playing).md5s).toEqual((await checksums(file, ...plainAudio)).md5s)
    await server.waitForLog({ role: 'http', msg: 'closed', code: 'STREAM_ABSENT' })
  })

  test('404 for a stream with other sound', async () => {
    const server = await startFormatsServer()
    await LivePair.start(server.url('one'))
    expect((await fetch(server.httpUrl('/live/one.mp3'))).status).toBe(404)
  })
})
