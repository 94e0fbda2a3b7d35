import { once } from 'node:events'
import { renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { monotonicMs } from '../../../src/base/clock.ts'
import { HotFiles } from '../../../src/http/site/hot-files.ts'
import { tempDir } from '../../support/temp-dir.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

/** A server of one directory, whose other way to answer says that it was taken. */
async function setUp(limits?: ConstructorParameters<typeof HotFiles>[0]) {
  const dir = tempDir()
  const hot = new HotFiles(limits)
  const server = createServer((request, response) => {
    const otherwise = (): void => {
      response.writeHead(404)
      response.end('otherwise')
    }
    if (!hot.answer(join(dir, request.url!), request, response, otherwise)) otherwise()
  })
  server.listen(0)
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const put = (name: string, content: string): string => {
    const path = join(dir, name)
    writeFileSync(`${path}.tmp`, content)
    renameSync(`${path}.tmp`, path)
    return path
  }
  const ask = (name: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/${name}`, init)
  const text = async (name: string, headers: Record<string, string> = {}): Promise<string> =>
    (await ask(name, { headers })).text()
  /** Lets so much time go by for the hot files. */
  const pass = (ms: number): void => {
    const now = performance.now() + ms
    vi.spyOn(performance, 'now').mockImplementation(() => now)
  }
  return { hot, put, ask, text, pass }
}

describe('a playlist or segment', () => {
  test('is answered with its type, and what caches may do', async () => {
    const { put, ask } = await setUp()
    put('x.m3u8', '#EXTM3U')
    put('x-1.ts', 'segment')
    const playlist = await ask('x.m3u8')
    expect(Object.fromEntries(playlist.headers)).toMatchObject({
      'content-type': 'application/vnd.apple.mpegurl',
      'content-length': '7',
      'cache-control': 'no-cache',
      'accept-ranges': 'bytes',
    })
    expect(await playlist.text()).toBe('#EXTM3U')
    const segment = await ask('x-1.ts', { method: 'HEAD' })
    expect(Object.fromEntries(segment.headers)).toMatchObject({
      'content-type': 'video/mp2t',
      'content-length': '7',
      'cache-control': 'public, max-age=3600',
    })
    expect(await segment.text()).toBe('')
  })

  test('is read once for all who ask at the same time, and kept for those who ask soon after', async () => {
    const { hot, put, text } = await setUp()
    const path = put('x-1.ts', 'segment')
    expect(await Promise.all(Array.from({ length: 20 }, () => text('x-1.ts')))).toEqual(
      Array(20).fill('segment'),
    )
    rmSync(path)
    expect(await text('x-1.ts')).toBe('segment')
    expect(hot.bytes).toBe(7)
  })

  test('that was replaced is read again in time', async () => {
    const { hot, put, text, pass } = await setUp()
    put('x.m3u8', 'first')
    expect(await text('x.m3u8')).toBe('first')
    put('x.m3u8', 'second')
    pass(101)
    expect(await text('x.m3u8')).toBe('second')
    expect(hot.bytes).toBe(6)
  })

  test('that is gone is answered otherwise in time', async () => {
    const { hot, put, text, pass } = await setUp()
    const path = put('x-1.ts', 'segment')
    expect(await text('x-1.ts')).toBe('segment')
    rmSync(path)
    pass(1001)
    expect(await text('x-1.ts')).toBe('otherwise')
    expect(await text('none.ts')).toBe('otherwise')
    expect(hot.bytes).toBe(0)
  })

  test('is not sent to who has it already', async () => {
    const { put, ask } = await setUp()
    const path = put('x-1.ts', 'segment')
    utimesSync(path, 1000, 1000)
    const etag = (await ask('x-1.ts')).headers.get('etag')!
    const status = async (headers: Record<string, string>): Promise<number> =>
      (await ask('x-1.ts', { headers })).status
    expect(await status({ 'If-None-Match': etag })).toBe(304)
    expect(await status({ 'If-None-Match': `"other", ${etag}` })).toBe(304)
    expect(await status({ 'If-None-Match': '"other"' })).toBe(200)
    const modified = (offsetMs: number): string => new Date(1_000_000 + offsetMs).toUTCString()
    expect(await status({ 'If-Modified-Since': modified(0) })).toBe(304)
    expect(await status({ 'If-Modified-Since': modified(-1000) })).toBe(200)
    expect(await status({ 'If-Modified-Since': 'nonsense' })).toBe(200)
  })

  test('that nobody asks for is let go after a minute', async () => {
    const { hot, put, text } = await setUp()
    put('x-1.ts', 'segment')
    await text('x-1.ts')
    hot.sweep(monotonicMs() + 59_000)
    expect(hot.bytes).toBe(7)
    hot.sweep(monotonicMs() + 61_000)
    expect(hot.bytes).toBe(0)
  })
})

describe('bounds', () => {
  test('of all files together: the one checked longest ago goes', async () => {
    const { hot, put, text } = await setUp({ maxBytes: 20, maxFileBytes: 15 })
    for (const name of ['a.ts', 'b.ts', 'c.ts']) {
      put(name, '12345678')
      await text(name)
    }
    expect(hot.bytes).toBe(16)
  })

  test('of one file: a larger one is answered otherwise', async () => {
    const { hot, put, text } = await setUp({ maxBytes: 20, maxFileBytes: 15 })
    put('a.ts', '1234567890123456')
    expect(await text('a.ts')).toBe('otherwise')
    expect(hot.bytes).toBe(0)
  })
})

test.each([
  ['x.mp4', {}, 'GET'],
  ['x-1.ts', { Range: 'bytes=0-1' }, 'GET'],
  ['x-1.ts', {}, 'POST'],
])('%s with %j by %s is none of it', async (name, headers, method) => {
  const { put, ask } = await setUp()
  put('x.mp4', 'movie')
  put('x-1.ts', 'segment')
  expect(await (await ask(name, { headers, method })).text()).toBe('otherwise')
})
