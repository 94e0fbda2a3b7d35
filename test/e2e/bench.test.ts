import { expect, test } from 'vitest'
import type { PlayResult } from '../../src/tools/bench/result.ts'
import { Command } from './support/command.ts'
import { HlsFiles, hlsOptions } from './support/hls.ts'
import { media } from './support/media.ts'
import { type Server, startServer, weirBinary } from './support/server.ts'

const clients = 5

/** Runs players to their end, and tells what they found. */
async function play(url: string, seconds: number): Promise<PlayResult> {
  const args = ['bench', 'play', '-c', String(clients), '-r', url, '-d', String(seconds), '--json']
  const { status, stdout, stderr } = await new Command(weirBinary, args).exited
  const last = stdout.trimEnd().split('\n').at(-1)
  if (status !== 0 || !last?.includes('"result"'))
    throw new Error(`${url}: status ${status}, ${stdout}${stderr}`)
  return JSON.parse(last) as PlayResult
}

const faultless = { up: clients, errors: {}, gaps: 0, timestampErrors: 0, framingErrors: 0 }

function urlsOf(server: Server): string[] {
  const paths = ['/live/one.flv', '/live/one.ts']
  const overHttp = paths.map((path) => server.httpUrl(path))
  return [server.url('one'), ...overHttp, ...overHttp.map((url) => url.replace('http:', 'ws:'))]
}

test('weir bench finds nothing wrong with any transport, and misses nothing', async () => {
  const mounts = '[vhost]/[app]/[stream].flv [vhost]/[app]/[stream].ts'
  const vhost = `http_remux { enabled on; mount ${mounts}; }`
  const server = await startServer(hlsOptions({ hls_fragment: 2 }, { httpWorkers: 1, vhost }))
  const publishing = ['bench', 'publish', '-c', '1', '-r', server.url('one'), '-i', media().clip, '--stamp']
  const publisher = new Command(weirBinary, publishing)
  await new HlsFiles(server).has(0)

  const hls = play(server.httpUrl('/live/one.m3u8'), 5)
  for (const [index, result] of (await Promise.all(urlsOf(server).map((url) => play(url, 1)))).entries()) {
    const url = urlsOf(server)[index]!
    expect(result, url).toMatchObject({ ...faultless, requests: null })
    expect(result.latencyMs?.count, url).toBeGreaterThan(clients)
    expect(result.kbpsMin, url).toBeGreaterThan(0)
  }
  const segmented = await hls
  expect(segmented).toMatchObject(faultless)
  expect(segmented.requests?.segments).toBeGreaterThanOrEqual(clients)
  expect(segmented.latencyMs?.count).toBeGreaterThan(clients)

  publisher.signal('SIGTERM')
  expect((await publisher.exited).status).toBe(0)
})
