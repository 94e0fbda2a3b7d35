import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test, vi } from 'vitest'
import { LiveStream } from '../../../src/backsource/live-stream.ts'
import type { VhostConfig } from '../../../src/config/config.ts'
import { configOf } from '../../support/config.ts'
import { recordingLogger } from '../../support/logger.ts'
import { keyFrame, videoHeader } from '../../support/packets.ts'
import { tempDir } from '../../support/temp-dir.ts'

/** Does nothing, whatever it is told. */
const fakeFfmpeg = fileURLToPath(new URL('../../support/fake-ffmpeg.sh', import.meta.url))
const waitOptions = { timeout: 10_000, interval: 10 }

/** A stream of a virtual host that runs programs which do nothing but sleep. */
function setUp(section: string) {
  const { logger, lines } = recordingLogger()
  const dir = tempDir()
  const configured = (text: string) =>
    configOf(`ff_log_dir ${join(dir, 'log')}; vhost __defaultVhost__ { ${text} }`)
  const vhostOf = (text: string): VhostConfig => configured(text).vhosts.__defaultVhost__!
  const live = new LiveStream('__defaultVhost__/live/x', 7, vhostOf(section), logger, {
    config: configured(section),
    ownToken: 's3cret',
    serverId: 's1',
    hooks: { onDvr: () => {}, onHls: () => {} },
    onDisconnect: () => expect.unreachable(),
  })
  onTestFinished(() => live.close())
  const begin = (param = ''): void => {
    live.publisher = {
      path: '',
      publishId: 1,
      connectionId: 'pub1',
      ip: '',
      param,
      route: [],
      granted: false,
    }
    live.publish('pub1')
    live.push(videoHeader('avc'))
    live.push(keyFrame(0, 'key'))
  }
  const programs = () => live.status().programs ?? []
  const run = (count: number) =>
    vi.waitFor(() => {
      const found = programs()
      expect(found.map(({ state }) => state)).toEqual(Array.from({ length: count }, () => 'running'))
      return found
    }, waitOptions)
  const reload = (text: string): void => {
    live.config = vhostOf(text)
  }
  return { live, lines, begin, programs, run, reload }
}

const exec = (...seconds: number[]): string =>
  `exec { enabled on; ${seconds.map((second) => `publish sleep ${second};`).join(' ')} }`

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('programs run from the first frame of a publish to its end', async () => {
  const { live, begin, programs, run } = setUp(exec(60))
  live.publish('pub1')
  live.push(videoHeader('avc'))
  expect(programs()).toEqual([])
  begin()
  const [program] = await run(1)
  expect(program).toMatchObject({ kind: 'exec', name: '1', stream: '__defaultVhost__/live/x', restarts: 0 })
  live.unpublish()
  expect(programs()).toEqual([])
  await vi.waitFor(() => expect(isAlive(program!.pid)).toBe(false), waitOptions)
  begin()
  const [again] = await run(1)
  expect(again!.pid).not.toBe(program!.pid)
  await live.close()
  expect(isAlive(again!.pid)).toBe(false)
})

test('a publisher that takes over has programs of its own', async () => {
  const { begin, run } = setUp(exec(60))
  begin()
  const [first] = await run(1)
  begin()
  await vi.waitFor(async () => expect((await run(1))[0]!.pid).not.toBe(first!.pid), waitOptions)
  expect(isAlive(first!.pid)).toBe(false)
})

test('a reload while the stream runs ends, leaves alone and begins programs', async () => {
  const { begin, programs, run, reload } = setUp('')
  begin()
  expect(programs()).toEqual([])
  reload(exec(60, 61))
  const [kept, ended] = await run(2)
  reload(exec(60, 62))
  const [same, begun] = await run(2)
  expect(same!.pid).toBe(kept!.pid)
  expect(isAlive(ended!.pid)).toBe(false)
  expect(begun!.pid).not.toBe(ended!.pid)
  reload('')
  expect(programs()).toEqual([])
  await vi.waitFor(() => expect(isAlive(kept!.pid) || isAlive(begun!.pid)).toBe(false), waitOptions)
})

const transcode = `transcode { enabled on; ffmpeg ${fakeFfmpeg};
  engine sd { enabled on; vcodec copy; acodec copy; output rtmp://127.0.0.1/live/[stream]_sd; } }`

test.each([
  ['?weir_own=transcode.s3cret', []],
  ['?weir_own=transcode.guessed', ['transcode']],
  ['?weir_own=ingest.s3cret', ['transcode']],
])('a publisher with %s has the programs %j', async (param, kinds) => {
  const { begin, run, lines } = setUp(`${transcode} ${exec(60)}`)
  begin(param)
  const running = await run(kinds.length + 1)
  expect(running.map(({ kind }) => kind)).toEqual([...kinds, 'exec'])
  const loops = lines.filter(({ code }) => code === 'TRANSCODE_LOOP')
  expect(loops).toHaveLength(kinds.length === 0 ? 1 : 0)
})
