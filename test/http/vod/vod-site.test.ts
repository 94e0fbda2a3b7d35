import { writeFileSync } from 'node:fs'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { parseAddress, VodSite } from '../../../src/http/vod/vod-site.ts'
import { configOf } from '../../support/config.ts'
import { recordingLogger } from '../../support/logger.ts'
import { tempDir } from '../../support/temp-dir.ts'

function parse(address: string, mount = '/vod') {
  const [path = '', query] = address.split('?')
  return parseAddress(path, new URLSearchParams(query), mount)
}

describe('the address of a part of a recording', () => {
  test.each([
    ['/vod/a.flv/index.m3u8', ['/a.flv', '/vod/a.flv'], 'playlist'],
    ['/vod/b/a.mp4/12.ts', ['/b/a.mp4', '/vod/b/a.mp4'], 12],
    ['/a.MP4/0.ts', ['/a.MP4'], 0],
    ['/vod/a.flv?format=mp4', ['/a.flv', '/vod/a.flv'], 'mp4'],
    ['/vodka/a.flv/0.ts', ['/vodka/a.flv'], 0],
    ['/vod/a.flv/b.mov/index.m3u8', ['/a.flv/b.mov', '/vod/a.flv/b.mov'], 'playlist'],
  ])('%s', (address, candidates, part) => {
    expect(parse(address)).toEqual({ candidates, part })
    for (const mount of ['/vod/', 'vod']) expect(parse(address, mount)).toEqual({ candidates, part })
  })

  test.each([
    '/vod/a.flv',
    '/vod/a.ts/index.m3u8',
    '/a.flv/x.ts',
    '/a.flv/-1.ts',
    '/a.flv/12345678.ts',
    '/.m3u8',
    '/a.mp4?format=mp4',
    '/a.flv?format=flv',
  ])('%s is none', (path) => {
    expect(parse(path)).toBeNull()
  })

  test('below a mount that is everything is the recording itself', () => {
    expect(parse('/b/a.flv/index.m3u8', '/')).toEqual({
      candidates: ['/b/a.flv', '/b/a.flv'],
      part: 'playlist',
    })
  })
})

describe('a crowd that finds the queue full', () => {
  const configWith = (vod: string) => configOf(`http_server { enabled on; vod { enabled on; ${vod} } }`)

  /** A site of ten files, each of which takes a thread to find out that it is no recording. */
  function setUp() {
    const dir = tempDir()
    for (let index = 0; index < 10; index += 1) writeFileSync(join(dir, `${index}.flv`), 'no FLV at all')
    const { logger, lines } = recordingLogger()
    const host = {
      logger,
      config: configWith('threads 1; queue 1;'),
      pathOf: (_host: string, encoded: string) => join(dir, encoded),
    }
    const site = new VodSite(host)
    onTestFinished(() => {
      const before = host.config
      host.config = configWith('threads 2;')
      site.reload(before)
    })
    const ask = (index: number): ServerResponse => {
      const request = new IncomingMessage(new Socket())
      Object.assign(request, { method: 'GET', url: `/${index}.flv/index.m3u8` })
      const response = new ServerResponse(request)
      site.answer(request, response, () => expect.unreachable('the recording is there'))
      return response
    }
    const askAll = async (): Promise<ServerResponse[]> => {
      const responses = Array.from({ length: 10 }, (_, index) => ask(index))
      await vi.waitFor(() => expect(responses.every(({ headersSent }) => headersSent)).toBe(true), 20_000)
      return responses
    }
    return { site, lines, askAll }
  }

  test('is told when to come again, and fills no log', async () => {
    const { site, lines, askAll } = setUp()
    const busyLines = () => lines.filter(({ code }) => code === 'VOD_BUSY')
    const responses = await askAll()
    const refused = responses.filter(({ statusCode }) => statusCode === 503)
    expect(refused).toHaveLength(8)
    for (const response of refused) expect(response.getHeader('Retry-After')).toBe(1)
    expect(responses.filter(({ statusCode }) => statusCode === 415)).toHaveLength(2)
    expect(busyLines()).toHaveLength(1)
    site.sweep(0)
    await askAll()
    expect(busyLines()).toHaveLength(2)
  })
})
