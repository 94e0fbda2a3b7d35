import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { get } from 'node:http'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { run } from './support/command.ts'
import { framesOfFile } from './support/ffmpeg.ts'
import { fromZero } from './support/frames.ts'
import { LivePair } from './support/live-pair.ts'
import { media } from './support/media.ts'
import { type Server, startServer } from './support/server.ts'
import { sharedServer } from './support/shared-server.ts'
import { until } from './support/until.ts'
import { HttpPlayer } from './support/web-player.ts'

const shared = sharedServer({ httpWorkers: 1 })

/** Puts a file below the directory that is served. */
function put(server: Server, path: string, content: string | Buffer, dir = server.htmlDir): string {
  const file = join(dir, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, content)
  return file
}

/** The answer to a request for a path as it is: `fetch` tidies paths up. */
function ask(server: Server, path: string, headers: Record<string, string> = {}, method = 'GET') {
  return new Promise<{ status: number; fields: NodeJS.Dict<string | string[]>; body: string }>(
    (resolve, reject) => {
      const request = get(
        { port: server.httpPort, path, headers, method, agent: false },
        async (response) => {
          const body = await text(response)
          resolve({ status: response.statusCode ?? 0, fields: response.headers, body })
        },
      )
      request.on('error', reject)
    },
  )
}

describe('a file', () => {
  test('comes with its type, and with what caches may do with it', async () => {
    const server = shared()
    put(server, 'live/x.m3u8', '#EXTM3U\n')
    put(server, 'live/x-1.ts', 'segment')
    put(server, 'index.html', '<p>Weir</p>')
    put(server, 'a b/€.mp4', 'movie')
    const playlist = await ask(server, '/live/x.m3u8')
    expect(playlist).toMatchObject({ status: 200, body: '#EXTM3U\n' })
    expect(playlist.fields).toMatchObject({
      'content-type': expect.stringMatching(/^application\/vnd\.apple\.mpegurl/),
      'cache-control': 'no-cache',
      'access-control-allow-origin': '*',
    })
    const segment = await ask(server, '/live/x-1.ts')
    expect(segment).toMatchObject({ status: 200, body: 'segment' })
    expect(segment.fields).toMatchObject({
      'content-type': 'video/mp2t',
      'cache-control': 'public, max-age=3600',
    })
    expect(await ask(server, '/')).toMatchObject({ status: 200, body: '<p>Weir</p>' })
    expect(await ask(server, '/a%20b/%E2%82%AC.mp4')).toMatchObject({ status: 200, body: 'movie' })
    expect((await ask(server, '/live/x.m3u8', {}, 'HEAD')).fields['content-length']).toBe('8')
    expect((await ask(server, '/live')).status).toBe(301)
  })

  test('comes in part when a part is asked for, and not at all when it has not changed', async () => {
    const server = shared()
    put(server, 'movie.mp4', '0123456789')
    const part = await ask(server, '/movie.mp4', { Range: 'bytes=2-4' })
    expect(part).toMatchObject({ status: 206, body: '234' })
    expect(part.fields['content-range']).toBe('bytes 2-4/10')
    expect((await ask(server, '/movie.mp4', { Range: 'bytes=20-' })).status).toBe(416)
    const { fields } = await ask(server, '/movie.mp4')
    expect(await ask(server, '/movie.mp4', { 'If-None-Match': String(fields.etag) })).toMatchObject({
      status: 304,
      body: '',
    })
    put(server, 'movie.mp4', 'changed it is')
    const changed = await ask(server, '/movie.mp4', { 'If-None-Match': String(fields.etag) })
    expect(changed).toMatchObject({ status: 200, body: 'changed it is' })
  })

  test('that is replaced is answered anew: a playlist at once, as good as', async () => {
    const server = shared()
    put(server, 'live/replaced.m3u8', 'first')
    expect((await ask(server, '/live/replaced.m3u8')).body).toBe('first')
    put(server, 'live/replaced.m3u8', 'second')
    await until('the new playlist', async () => (await ask(server, '/live/replaced.m3u8')).body === 'second')
    expect(await ask(server, '/live/replaced.m3u8', { Range: 'bytes=0-2' })).toMatchObject({
      status: 206,
      body: 'sec',
    })
  })

  test.each([
    '/../secret',
    '/%2e%2e/secret',
    '/live/..%2f..%2fsecret',
    '/.git/config',
    '/live/.hidden.ts',
    '/missing',
    '/live/x.ts%00',
    '/%ff',
  ])('is not what %s is answered with', async (path) => {
    const server = shared()
    put(server, 'secret', 'secret', server.dir)
    put(server, '.git/config', 'secret')
    put(server, 'live/.hidden.ts', 'secret')
    const { status, body } = await ask(server, path)
    expect([400, 404]).toContain(status)
    expect(body).not.toContain('secret')
  })

  test('of a virtual host comes from its own directory', async () => {
    const more = 'vhost a.example { http_static { enabled on; mount [vhost]/hls; dir ./a; } }'
    const server = await startServer({ httpWorkers: 1, more })
    put(server, 'hls/x.m3u8', 'everybody')
    put(server, 'x.m3u8', 'a.example', join(server.dir, 'a'))
    expect((await ask(server, '/hls/x.m3u8')).body).toBe('everybody')
    expect((await ask(server, '/hls/x.m3u8', { Host: 'a.example' })).body).toBe('a.example')
    expect((await ask(server, '/hls/x.m3u8?vhost=a.example')).body).toBe('a.example')
    server.configure({ httpWorkers: 1 })
    await server.reload()
    expect((await ask(server, '/hls/x.m3u8', { Host: 'a.example' })).body).toBe('everybody')
  })

  test('may be linked into the directory by the operator', async () => {
    const server = shared()
    put(server, 'movie.mp4', 'linked', join(server.dir, 'elsewhere'))
    mkdirSync(server.htmlDir, { recursive: true })
    symlinkSync(join(server.dir, 'elsewhere'), join(server.htmlDir, 'link'))
    expect((await ask(server, '/link/movie.mp4')).body).toBe('linked')
  })
})

describe('FLV', () => {
  test('from a key frame on, as a player asks that has an index', async () => {
    const server = shared()
    const bytes = readFileSync(media().clip)
    put(server, 'vod/clip.flv', bytes)
    const start = secondKeyFrame(bytes)
    const part = join(server.dir, 'part.flv')
    const url = server.httpUrl(`/vod/clip.flv?start=${start}`)
    expect(await run('curl', ['-sf', '-o', part, url])).toMatchObject({ status: 0 })
    const [whole, rest] = [await framesOfFile(media().clip), await framesOfFile(part)]
    expect(rest.video.description).toEqual(whole.video.description)
    expect(rest.video.frames).toEqual(whole.video.frames.slice(50))
    expect(rest.audio.frames.length).toBeGreaterThan(0)
    expect((await ask(server, '/vod/clip.flv?start=0')).fields['content-length']).toBe(String(bytes.length))
    expect((await ask(server, `/vod/clip.flv?start=${bytes.length}`)).status).toBe(416)
    expect((await ask(server, '/vod/clip.flv?start=-1')).status).toBe(400)
    expect((await ask(server, '/vod/none.flv?start=5')).status).toBe(404)
    const head = await ask(server, `/vod/clip.flv?start=${start}`, {}, 'HEAD')
    expect(head).toMatchObject({ status: 200, body: '' })
    expect(head.fields['content-length']).toBe(String(readFileSync(part).length))
  })

  test('a name that is a stream and a file is the stream while that is published, else the file', async () => {
    const server = await startServer({ httpWorkers: 1, vhost: 'http_remux { enabled on; }' })
    put(server, 'live/one.flv', readFileSync(media().clip))
    const url = server.httpUrl('/live/one.flv')
    const file = await framesOfFile(url)
    const original = await framesOfFile(media().clip)
    expect(fromZero(file.video.frames)).toEqual(fromZero(original.video.frames))
    const { publisher } = await LivePair.start(server.url('one'))
    const player = await HttpPlayer.play(url)
    await player.has(50)
    expect(publisher.sent.map(({ md5 }) => md5)).toContain(player.frames[0]!.md5)
  })
})

/** Offset in an FLV file of the tag of its second key frame. */
function secondKeyFrame(flv: Buffer): number {
  let keyFrames = 0
  for (let at = 13; at < flv.length; at += 15 + flv.readUIntBE(at + 1, 3)) {
    const isKey = flv[at] === 9 && flv[at + 11] === 0x17 && flv[at + 12] === 1
    if (isKey) keyFrames += 1
    if (keyFrames === 2) return at
  }
  throw new Error('the file has no second key frame')
}
