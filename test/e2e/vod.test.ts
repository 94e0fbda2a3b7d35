import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { flvHeader } from '../../src/media/flv/writer.ts'
import { parsePlaylist } from '../../src/media/hls/playlist.ts'
import { run } from './support/command.ts'
import { framesOfFile, probe } from './support/ffmpeg.ts'
import { fromZero } from './support/frames.ts'
import { media } from './support/media.ts'
import { type Server, type ServerOptions, startServer } from './support/server.ts'
import { bareFrames, complaintsAbout } from './support/transport-stream.ts'

const vod = 'vod { enabled on; fragment 2; }'

/** Live streams are served at addresses that recordings could have too. */
const everyLivePath = 'http_remux { enabled on; mount [vhost]/[app]/[stream].flv [vhost]/[app]/[stream].ts; }'

async function vodServer(more: ServerOptions = {}): Promise<Server> {
  const server = await startServer({ httpWorkers: 1, httpServer: vod, ...more })
  mkdirSync(server.htmlDir)
  return server
}

/** Makes a recording below the directory that is served. */
async function record(server: Server, name: string, args: string): Promise<string> {
  const file = join(server.htmlDir, name)
  mkdirSync(dirname(file), { recursive: true })
  const quiet = ['-hide_banner', '-nostdin', '-loglevel', 'error']
  const { status, stderr } = await run('ffmpeg', [...quiet, ...args.split(' '), file])
  if (status !== 0) throw new Error(`ffmpeg cannot make ${name}: ${stderr}`)
  return file
}

const copyOf = (format: string): string => `-i ${media().clip} -c copy ${format}`

/** HEVC and MP3, at a rate whose times are no whole milliseconds. */
const hevcArguments = [
  '-f lavfi -i testsrc2=size=160x90:rate=30000/1001:duration=5',
  '-f lavfi -i sine=frequency=440:sample_rate=48000:duration=5',
  '-c:v libx265 -preset ultrafast -x265-params log-level=none:keyint=30:min-keyint=30 -tag:v hvc1',
  '-c:a libmp3lame -b:a 64k',
].join(' ')

/** Of the first frames in a PES packet without video, ffmpeg gives two the same time: their times are not compared. */
const untimedFrames = 4

/** Frames as they are, and when each comes before the last one. */
async function comparable(input: string, track: Parameters<typeof bareFrames>[1]) {
  const frames = await bareFrames(input, track)
  const last = frames.at(-1)?.pts ?? 0
  return {
    md5: frames.map(({ md5 }) => md5),
    times: frames.slice(untimedFrames).map(({ pts }) => last - pts),
  }
}

async function expectSameFrames(file: string, url: string, track: Parameters<typeof bareFrames>[1]) {
  const [original, played] = [await comparable(file, track), await comparable(url, track)]
  expect(played.md5).toEqual(original.md5)
  // Times are rounded, to milliseconds in FLV and to 90 kHz in a segment.
  const worst = played.times.map((time, index) => Math.abs(time - (original.times[index] ?? 0)))
  expect(Math.max(...worst)).toBeLessThanOrEqual(1)
}

async function download(url: string): Promise<Buffer> {
  const response = await fetch(url)
  expect(response.status).toBe(200)
  return Buffer.from(await response.arrayBuffer())
}

describe('a recording as HLS', () => {
  test('has every frame, at its time, and each segment can be played alone', async () => {
    const server = await vodServer()
    const files = [
      await record(server, 'a.flv', copyOf('-f flv')),
      await record(server, 'sub/b.mp4', copyOf('-f mp4')),
      await record(server, 'fragmented.mp4', copyOf('-movflags frag_keyframe+empty_moov -f mp4')),
    ]
    for (const file of files) {
      const url = server.httpUrl(`/vod${file.slice(server.htmlDir.length)}/index.m3u8`)
      const playlist = parsePlaylist(await (await fetch(url)).text())!
      expect(playlist.segments.map(({ durationMs }) => durationMs).slice(0, 4)).toEqual([
        2000, 2000, 2000, 2000,
      ])
      const total = playlist.segments.reduce((sum, { durationMs }) => sum + durationMs, 0)
      expect(Math.abs(total - 10_000)).toBeLessThan(120)
      await expectSameFrames(file, url, 'h264')
      await expectSameFrames(file, url, 'aac')
      expect(await complaintsAbout(url)).toBe('')
      expect(await complaintsAbout(new URL(playlist.segments[2]!.uri, url).href)).toBe('')
    }
  })

  test('of HEVC and MP3, and of sound alone', async () => {
    const server = await vodServer()
    const hevc = await record(server, 'hevc.mp4', hevcArguments)
    await expectSameFrames(hevc, server.httpUrl('/hevc.mp4/index.m3u8'), 'hevc')
    await expectSameFrames(hevc, server.httpUrl('/hevc.mp4/index.m3u8'), 'mp3')
    for (const name of ['sound.flv', 'sound.m4a']) {
      const sound = await record(server, name, `-i ${media().clip} -vn -c copy`)
      await expectSameFrames(sound, server.httpUrl(`/vod/${name}/index.m3u8`), 'aac')
    }
  })

  test('comes with what caches and players need to know', async () => {
    const server = await vodServer()
    await record(server, 'a.flv', copyOf('-f flv'))
    const url = server.httpUrl('/vod/a.flv/index.m3u8?token=a%20b')
    const playlist = await fetch(url)
    expect(Object.fromEntries(playlist.headers)).toMatchObject({
      'content-type': 'application/vnd.apple.mpegurl',
      'cache-control': 'no-cache',
      'access-control-allow-origin': '*',
    })
    const text = await playlist.text()
    expect(text).toContain('#EXT-X-PLAYLIST-TYPE:VOD\n')
    expect(text).toMatch(/#EXT-X-ENDLIST\n$/)
    const { targetDuration, segments } = parsePlaylist(text)!
    expect(Math.max(...segments.map(({ durationMs }) => durationMs))).toBeLessThanOrEqual(
      targetDuration * 1000,
    )
    expect(segments[1]?.uri).toMatch(/^1\.ts\?token=a\+b&v=/)
    const unchanged = await fetch(url, { headers: { 'If-None-Match': playlist.headers.get('etag')! } })
    expect(unchanged.status).toBe(304)
    const segment = await fetch(new URL(segments[1]!.uri, url))
    expect(Object.fromEntries(segment.headers)).toMatchObject({
      'content-type': 'video/mp2t',
      'cache-control': 'public, max-age=3600',
    })
    const bytes = await segment.arrayBuffer()
    const head = await fetch(server.httpUrl('/vod/a.flv/1.ts'), { method: 'HEAD' })
    expect(Object.fromEntries(head.headers)).toMatchObject({
      'content-length': String(bytes.byteLength),
      'cache-control': 'no-cache',
    })
    expect((await fetch(server.httpUrl('/vod/a.flv/5.ts'))).status).toBe(404)
  })

  test('is looked through once, however many ask at the same time', async () => {
    const server = await vodServer()
    await record(server, 'a.flv', copyOf('-f flv'))
    const url = server.httpUrl('/vod/a.flv/3.ts')
    const answers = await Promise.all(
      Array.from({ length: 200 }, async () => Buffer.from(await (await fetch(url)).arrayBuffer())),
    )
    expect(answers.every((bytes) => bytes.equals(answers[0]!))).toBe(true)
    const lines = server.logs().filter(({ msg }) => String(msg).startsWith('vod: a recording was looked'))
    expect(lines).toHaveLength(1)
  })

  test('goes on with what was recorded meanwhile', async () => {
    const server = await vodServer()
    const bytes = readFileSync(media().clip)
    const file = join(server.htmlDir, 'growing.flv')
    const url = server.httpUrl('/vod/growing.flv/index.m3u8')
    const count = async (): Promise<number> => parsePlaylist(await (await fetch(url)).text())!.segments.length
    writeFileSync(file, bytes.subarray(0, bytes.length / 2))
    const before = await count()
    const first = await (await fetch(server.httpUrl('/vod/growing.flv/0.ts'))).arrayBuffer()
    writeFileSync(file, bytes)
    expect(await count()).toBeGreaterThan(before)
    expect(await (await fetch(server.httpUrl('/vod/growing.flv/0.ts'))).arrayBuffer()).toEqual(first)
    await expectSameFrames(media().clip, url, 'h264')
  })
})

test('a recording is served where streams are, and as the configuration says after a reload', async () => {
  const server = await vodServer({ vhost: everyLivePath })
  await record(server, 'live/a.flv', copyOf('-f flv'))
  const url = server.httpUrl('/live/a.flv/index.m3u8')
  const durations = async (): Promise<number[]> =>
    parsePlaylist(await (await fetch(url)).text())!.segments.map(({ durationMs }) => durationMs)
  expect((await durations())[0]).toBe(2000)
  expect((await fetch(server.httpUrl('/live/a.flv/4.ts'))).headers.get('content-type')).toBe('video/mp2t')
  const movie = await fetch(server.httpUrl('/live/a.flv?format=mp4'), { method: 'HEAD' })
  expect(movie.headers.get('content-type')).toBe('video/mp4')
  const other = 'vod { enabled on; mount films; fragment 4; }'
  server.configure({ httpWorkers: 1, httpServer: other, vhost: everyLivePath })
  await server.reload()
  expect(await durations()).toEqual([4000, 4000, expect.any(Number)])
  expect((await fetch(server.httpUrl('/films/live/a.flv/index.m3u8'))).status).toBe(200)
})

describe('an FLV recording as MP4', () => {
  test('has every frame, at its time', async () => {
    const server = await vodServer()
    const clip = await record(server, 'a.flv', copyOf('-f flv'))
    const mp3Clip = await record(server, 'mp3.flv', `-i ${media().clip} -c:v copy -c:a libmp3lame -f flv`)
    for (const [file, audio] of [
      [clip, 'aac'],
      [mp3Clip, 'mp3'],
    ] as const) {
      const url = server.httpUrl(`/${basename(file)}?format=mp4`)
      const copy = join(server.dir, 'copy.mp4')
      const bytes = await download(url)
      writeFileSync(copy, bytes)
      for (const input of [copy, url]) {
        const [original, played] = [await framesOfFile(file), await framesOfFile(input)]
        const video = fromZero(played.video.frames)
        expect(video).toEqual(fromZero(original.video.frames))
        expect(fromZero(played.audio.frames)).toEqual(fromZero(original.audio.frames))
      }
      expect(await complaintsAbout(copy)).toBe('')
      expect(await probe(copy)).toMatchObject([
        { codec_name: 'h264', width: 320, height: 180 },
        { codec_name: audio, sample_rate: '44100', channels: 2 },
      ])
    }
  })

  test('comes in parts, whose lengths are known before', async () => {
    const server = await vodServer()
    await record(server, 'a ü.flv', copyOf('-f flv'))
    const url = server.httpUrl(`/vod/${encodeURIComponent('a ü.flv')}?format=mp4`)
    const whole = await download(url)
    const head = await fetch(url, { method: 'HEAD' })
    expect(Object.fromEntries(head.headers)).toMatchObject({
      'content-type': 'video/mp4',
      'content-length': String(whole.length),
      'accept-ranges': 'bytes',
      'content-disposition': "attachment; filename*=UTF-8''a%20%C3%BC.mp4",
    })
    const from = Math.floor(whole.length / 2)
    const part = await fetch(url, { headers: { Range: `bytes=${from}-${from + 99_999}` } })
    expect(part.status).toBe(206)
    expect(part.headers.get('content-range')).toBe(`bytes ${from}-${from + 99_999}/${whole.length}`)
    expect(Buffer.from(await part.arrayBuffer())).toEqual(whole.subarray(from, from + 100_000))
    const beyond = await fetch(url, { headers: { Range: `bytes=${whole.length}-` } })
    expect(beyond.status).toBe(416)
  })

  test('cannot be had of codecs that have no place in it', async () => {
    const server = await vodServer()
    await record(server, 'h263.flv', `-i ${media().clip} -c:v flv -an -f flv`)
    expect((await fetch(server.httpUrl('/h263.flv?format=mp4'))).status).toBe(415)
    await server.waitForLog({ code: 'VOD_FORMAT', msg: 'vod: video: H263 has no place in a segment' })
  })
})

describe('an MP4 file', () => {
  test('can be seeked in by Range', async () => {
    const server = await vodServer()
    const file = await record(server, 'a.mp4', copyOf('-movflags faststart -f mp4'))
    const late = await record(server, 'late.mp4', copyOf('-f mp4'))
    for (const path of [file, late]) {
      const url = server.httpUrl(`/${basename(path)}`)
      const from = async (input: string) =>
        (await bareFrames(input, 'h264', ['-ss', '6.5'])).map(({ md5 }) => md5)
      const frames = await from(url)
      expect(frames.length).toBeLessThan(150)
      expect(frames).toEqual(await from(path))
      const { stderr } = await run('ffprobe', [
        '-v',
        'debug',
        '-read_intervals',
        '6%+1',
        '-show_packets',
        url,
      ])
      expect(stderr).toMatch(/Range: bytes=[1-9]\d*-/)
    }
  })
})

describe('what is no recording', () => {
  test('is answered with what is wrong, and the log says why', async () => {
    const server = await vodServer()
    await record(server, 'vp9.mp4', '-f lavfi -i testsrc2=size=64x64:rate=5:duration=1 -c:v libvpx-vp9')
    writeFileSync(join(server.htmlDir, 'text.flv'), 'no FLV, but long enough')
    writeFileSync(join(server.htmlDir, 'text.mp4'), 'no MP4, but long enough to be looked at')
    writeFileSync(join(server.htmlDir, 'empty.flv'), flvHeader({ audio: true, video: true }))
    const status = async (path: string): Promise<number> => (await fetch(server.httpUrl(path))).status
    expect(await status('/vod/vp9.mp4/index.m3u8')).toBe(415)
    expect(await status('/vod/vp9.mp4/0.ts')).toBe(415)
    expect(await status('/vod/text.flv/index.m3u8')).toBe(415)
    expect(await status('/vod/text.mp4/index.m3u8')).toBe(415)
    expect(await status('/vod/empty.flv/index.m3u8')).toBe(422)
    expect(await status('/vod/none.flv/index.m3u8')).toBe(404)
    const warnings = server.logs().filter(({ level }) => level === 'warn')
    expect(warnings.map(({ code }) => code)).toEqual(['VOD_FORMAT', 'FLV_FORMAT', 'VOD_FORMAT', 'VOD_BROKEN'])
    expect(warnings[0]).toMatchObject({ msg: 'vod: video: vp9 has no place in a segment' })
  })

  test('is not found outside of what is served', async () => {
    const server = await vodServer()
    const bytes = readFileSync(media().clip)
    for (const path of ['secret.flv', 'html/.hidden.flv', 'html/.git/a.flv']) {
      mkdirSync(dirname(join(server.dir, path)), { recursive: true })
      writeFileSync(join(server.dir, path), bytes)
    }
    for (const path of [
      '/vod/..%2fsecret.flv',
      '/vod/%2e%2e/secret.flv',
      '/vod/.hidden.flv',
      '/.git/a.flv',
    ]) {
      const { status } = await fetch(server.httpUrl(`${path}/0.ts`))
      expect([path, status]).toEqual([path, 404])
    }
  })
})
