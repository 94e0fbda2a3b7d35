import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  constants,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { AccessPipeline } from '../../../src/access/access-pipeline.ts'
import { localChecks } from '../../../src/access/local-checks.ts'
import { signedQuery } from '../../../src/access/signed-url.ts'
import { Site } from '../../../src/http/site/site-app.ts'
import { configOf } from '../../support/config.ts'
import { eventually } from '../../support/eventually.ts'
import { recordingLogger } from '../../support/logger.ts'
import { tempDir } from '../../support/temp-dir.ts'

const secret = 'a-secret-of-a-test-of-hls'
const playlist = '#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="show-0.key"\n#EXTINF:4,\nshow-0.ts\n'
const files = {
  'show.m3u8': playlist,
  'show-0.ts': 'segment',
  'show-0.ts.1.tmp': 'half',
  'show-0.key': 'key',
  'other.m3u8': playlist,
}

const inAMinute = Math.floor(Date.now() / 1000) + 60
const signed = (stream = 'live/show', expires = inAMinute): string =>
  signedQuery(secret, { action: 'play', stream: `__defaultVhost__/${stream}`, expires })

/** A site of real files, with the given checks in its virtual host. */
async function setUp(access: string) {
  const dir = tempDir()
  mkdirSync(join(dir, 'live'))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, 'live', name), content)
  writeFileSync(join(dir, 'page.html'), 'a page')
  const configWith = (checks: string) =>
    configOf(`http_server { enabled on; dir ${dir}; }
      vhost __defaultVhost__ { hls { enabled on; hls_path ${dir}; hls_keys on; hls_key_file_path ${dir}; } ${checks} }`)
  const { logger, lines } = recordingLogger()
  const pipeline = new AccessPipeline(logger, localChecks, [])
  const site = new Site({
    logger,
    config: configWith(access),
    access: pipeline,
    wantStream: () => expect.unreachable(),
  })
  await site.start()
  const server = createServer((request, response) => site.handle(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const ask = (path: string, init?: RequestInit): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}${path}`, init)
  const statuses = async (query: string, init?: RequestInit): Promise<number[]> =>
    Promise.all(Object.keys(files).map(async (name) => (await ask(`/live/${name}${query}`, init)).status))
  const reload = (checks: string): void => site.reload(configWith(checks))
  return { dir: join(dir, 'live'), ask, statuses, reload, lines }
}

const auth = `auth { enabled on; play signed; secret ${secret}; }`

describe('with signed URLs', () => {
  test('playlist, segments and keys are given to who has one for the stream, and to nobody else', async () => {
    const { ask, statuses } = await setUp(auth)
    const all = [200, 200, 200, 200, 401]
    expect(await statuses(`?${signed()}`)).toStrictEqual(all)
    for (const query of [
      '',
      `?${signed('live/x')}`,
      `?${signed('live/show', 1)}`,
      `?${signed().slice(0, -1)}`,
    ]) {
      expect(await statuses(query)).toStrictEqual([401, 401, 401, 401, 401])
    }
    expect(await statuses('', { headers: { Range: 'bytes=0-3' } })).toStrictEqual([401, 401, 401, 401, 401])
    expect((await ask('/live/%73how-0.ts')).status).toBe(401)
    expect((await ask('/live/show-0.ts', { method: 'HEAD' })).status).toBe(401)
    expect((await ask('/live/show.m3u8')).headers.get('www-authenticate')).toBe('Bearer')
  })

  test('the playlist leads to files that its own token opens', async () => {
    const { ask } = await setUp(auth)
    const answer = await ask(`/live/show.m3u8?${signed()}&_=1`, { headers: { Range: 'bytes=0-5' } })
    expect(answer.status).toBe(200)
    const text = await answer.text()
    expect(text).toBe(
      `#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI="show-0.key?${signed()}"\n#EXTINF:4,\nshow-0.ts?${signed()}\n`,
    )
    expect(Number(answer.headers.get('content-length'))).toBe(Buffer.byteLength(text))
    const [uri] = text.trimEnd().split('\n').slice(-1)
    expect(await (await ask(`/live/${uri}`)).text()).toBe('segment')
  })

  test('so does one that comes while it is looked for', async () => {
    const { dir, ask } = await setUp(auth)
    const path = join(dir, 'new.m3u8')
    // Who opens it waits for somebody who writes, then sees that it is no file; by then the playlist is in its place.
    execFileSync('mkfifo', [path])
    linkSync(path, `${path}.fifo`)
    writeFileSync(`${path}.late`, playlist)
    const asked = ask(`/live/new.m3u8?${signed('live/new')}`)
    await eventually(() => {
      closeSync(openSync(`${path}.fifo`, constants.O_WRONLY | constants.O_NONBLOCK))
      renameSync(`${path}.late`, path)
    })
    const answer = await asked
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain(`\nshow-0.ts?${signed('live/new')}\n`)
    expect(answer.headers.get('cache-control')).toBe('private, no-cache')
    expect(answer.headers.get('content-type')).toBe('application/vnd.apple.mpegurl')
    rmSync(path)
    expect((await ask(`/live/new.m3u8?${signed('live/new')}`)).status).toBe(404)
  })

  test('no shared cache may keep any of it', async () => {
    const { ask } = await setUp(auth)
    const kept = async (path: string, init?: RequestInit): Promise<string | null> =>
      (await ask(`${path}?${signed()}`, init)).headers.get('cache-control')
    expect(await kept('/live/show.m3u8')).toBe('private, no-cache')
    expect(await kept('/live/show-0.ts')).toBe('private, max-age=3600')
    expect(await kept('/live/show-0.ts', { headers: { Range: 'bytes=0-3' } })).toBe('private, max-age=3600')
    expect(await kept('/live/show-0.key')).toBe('private, no-cache')
    expect(await kept('/page.html')).toBe('no-cache')
  })

  test('a client that has the playlist as it is gets no other', async () => {
    const { ask } = await setUp(auth)
    const etag = (await ask(`/live/show.m3u8?${signed()}`)).headers.get('etag')!
    const again = await ask(`/live/show.m3u8?${signed()}`, { headers: { 'If-None-Match': etag } })
    expect([again.status, again.headers.get('cache-control')]).toStrictEqual([304, 'private, no-cache'])
    expect((await ask('/live/show.m3u8', { headers: { 'If-None-Match': etag } })).status).toBe(401)
  })

  test('files that are none of HLS are for everybody', async () => {
    const { ask } = await setUp(auth)
    expect(await (await ask('/page.html')).text()).toBe('a page')
    expect((await ask('/live/none.html')).status).toBe(404)
    expect((await ask(`/live/none.m3u8?${signed('live/none')}`)).status).toBe(404)
  })

  test('a crowd without any is told of once a second', async () => {
    const { statuses, lines } = await setUp(auth)
    await statuses('')
    expect(lines).toMatchObject([
      {
        msg: 'hls: refused',
        ip: '127.0.0.1',
        code: 'TOKEN_MISSING',
        stream: expect.stringMatching(/^live\//),
      },
    ])
  })

  test('a reload turns it on and off', async () => {
    const { statuses, reload } = await setUp('')
    expect(await statuses('')).toStrictEqual([200, 200, 200, 200, 200])
    reload(auth)
    expect(await statuses('')).toStrictEqual([401, 401, 401, 401, 401])
    reload('')
    expect(await statuses('')).toStrictEqual([200, 200, 200, 200, 200])
  })
})

test('without checks a playlist is as it is, whatever its query', async () => {
  const { ask } = await setUp('')
  const answer = await ask('/live/show.m3u8?token=x')
  expect(await answer.text()).toBe(playlist)
  expect(answer.headers.get('cache-control')).toBe('no-cache')
})

test('addresses and pages are checked with every file too', async () => {
  const { statuses } = await setUp('security { enabled on; deny play 127.0.0.1; }')
  expect(await statuses('')).toStrictEqual([403, 403, 403, 403, 403])
  const pages = await setUp('refer { enabled on; play example.com; }')
  expect(await pages.statuses('')).toStrictEqual([403, 403, 403, 403, 403])
  const headers = { Referer: 'https://www.example.com/live' }
  expect(await pages.statuses('', { headers })).toStrictEqual([200, 200, 200, 200, 200])
})

test('a file that two virtual hosts would write is given to who may play both', async () => {
  const dir = tempDir()
  mkdirSync(join(dir, 'live'))
  writeFileSync(join(dir, 'live', 'show.m3u8'), playlist)
  const hls = `hls { enabled on; hls_path ${dir}; }`
  const config = configOf(`http_server { enabled on; dir ${dir}; }
    vhost __defaultVhost__ { ${hls} ${auth} } vhost open.test { ${hls} }`)
  const { logger } = recordingLogger()
  const site = new Site({
    logger,
    config,
    access: new AccessPipeline(logger, localChecks, []),
    wantStream: () => expect.unreachable(),
  })
  await site.start()
  const server = createServer((request, response) => site.handle(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const ask = async (query: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}/live/show.m3u8?${query}`, { headers: { Connection: 'close' } }))
      .status
  expect(await ask('vhost=open.test')).toBe(401)
  expect(await ask(`vhost=open.test&${signed()}`)).toBe(200)
})
