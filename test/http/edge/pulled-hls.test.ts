import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { monotonicMs } from '../../../src/base/clock.ts'
import { PulledHls } from '../../../src/http/edge/pulled-hls.ts'
import type { ToMaster } from '../../../src/ipc/contract.ts'
import { WantedStreams } from '../../../src/pull/wanted-streams.ts'
import { configOf } from '../../support/config.ts'
import { tempDir } from '../../support/temp-dir.ts'

const stream = '__defaultVhost__/live/show'

function setUp(cluster = 'mode remote; origin 192.0.2.1;') {
  const dir = tempDir()
  mkdirSync(join(dir, 'live'))
  const configWith = (section: string, hls = '') =>
    configOf(`vhost __defaultVhost__ { cluster { ${section} } hls { enabled on; hls_path ${dir}; ${hls} } }`)
  const sent: ToMaster[] = []
  const streams = new WantedStreams(
    (message) => sent.push(message),
    () => false,
  )
  const pulled = new PulledHls({ wantStream: (name) => streams.want(name) }, configWith(cluster))
  onTestFinished(() => pulled.close())
  const path = (name: string): string => join(dir, 'live', name)
  return {
    pulled,
    streams,
    sent: () => sent.splice(0).map(({ t }) => t),
    path,
    want: (name: string) => pulled.want(path(name), 'example.com'),
    up: (name = stream) =>
      streams.onMessage({ t: 'source-up', stream: name, source: 1, path: '', sourceId: '' }),
    absent: () => streams.onMessage({ t: 'source-absent', stream }),
    reload: (section: string, hls = '') => pulled.reload(configWith(section, hls)),
  }
}

test('who asks for a playlist has the stream pulled, and gets it when it is there', async () => {
  const { want, sent, up, path } = setUp()
  const [first, second] = [want('show.m3u8'), want('show.m3u8')]
  expect(sent()).toStrictEqual(['watch'])
  up()
  writeFileSync(path('show.m3u8'), '#EXTM3U')
  expect(await Promise.all([first, second])).toStrictEqual([200, 200])
  expect([want('show.m3u8'), want('show-0.ts')]).toStrictEqual([null, null])
  expect(sent()).toStrictEqual([])
})

test('a playlist of another day is none, and a new one not waited for without end', async () => {
  vi.useFakeTimers({ toFake: ['performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const { want, up, path, sent } = setUp()
  writeFileSync(path('show.m3u8'), '#EXTM3U')
  utimesSync(path('show.m3u8'), new Date(0), new Date(0))
  const answer = want('show.m3u8')
  up()
  // A pull, and two segments of 10 s.
  vi.advanceTimersByTime(30_000)
  expect(await answer).toBe(503)
  expect(sent()).toStrictEqual(['watch', 'unwatch'])
})

test('a stream that is nowhere is told so at once, and not kept', async () => {
  const { want, sent, absent } = setUp()
  const answers = [want('show.m3u8'), want('show.m3u8')]
  absent()
  expect(await Promise.all(answers)).toStrictEqual([404, 404])
  expect(sent()).toStrictEqual(['watch', 'unwatch'])
})

test('it is kept as long as somebody asks, and let go then', async () => {
  const { want, sent, up, path, pulled } = setUp()
  const answer = want('show.m3u8')
  up()
  writeFileSync(path('show.m3u8'), '#EXTM3U')
  await answer
  pulled.sweep(monotonicMs() + 44_000)
  expect(sent()).toStrictEqual(['watch'])
  pulled.sweep(monotonicMs() + 46_000)
  expect(sent()).toStrictEqual(['unwatch'])
  expect(want('show-0.ts')).toBeNull()
  expect(sent()).toStrictEqual([])
})

test('a stream that ends while it is kept has its playlist on', async () => {
  const { want, up, path, absent } = setUp()
  const answer = want('show.m3u8')
  up()
  writeFileSync(path('show.m3u8'), '#EXTM3U')
  await answer
  absent()
  expect(want('show.m3u8')).toBeNull()
})

test.each([
  ['an origin', 'show.m3u8', 'mode local;'],
  ['a segment alone', 'show-0.ts', 'mode remote; origin 192.0.2.1;'],
  ['another file', 'page.html', 'mode remote; origin 192.0.2.1;'],
])('%s is left as it is', (_what, name, cluster) => {
  const { want, sent } = setUp(cluster)
  expect(want(name)).toBeNull()
  expect(sent()).toStrictEqual([])
})

test('a reload turns it on, keeps it, and turns it off', async () => {
  const { want, sent, reload, up, path } = setUp('mode local;')
  expect(want('show.m3u8')).toBeNull()
  reload('mode remote; origin 192.0.2.1;')
  const answer = want('show.m3u8')
  up()
  writeFileSync(path('show.m3u8'), '#EXTM3U')
  expect(await answer).toBe(200)
  reload('mode remote; origin 192.0.2.2;', 'hls_fragment 5;')
  expect(sent()).toStrictEqual(['watch'])
  reload('mode local;')
  expect(sent()).toStrictEqual(['unwatch'])
  expect(want('show.m3u8')).toBeNull()
})

test('of a server that stops nobody waits', async () => {
  const { want, pulled, sent } = setUp()
  const answer = want('show.m3u8')
  pulled.close()
  expect(await answer).toBe(404)
  expect(sent()).toStrictEqual(['watch', 'unwatch'])
  expect(await want('show.m3u8')).toBe(503)
})
