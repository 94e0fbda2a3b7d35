import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HlsStream } from '../../src/backsource/hls/hls-stream.ts'
import { Broadcast } from '../../src/live/broadcast.ts'
import { Source } from '../../src/live/source.ts'
import { Viewer } from '../../src/live/viewer.ts'
import { parsePlaylist } from '../../src/media/hls/playlist.ts'
import { isHeader, type Packet } from '../../src/media/packet.ts'
import { TsBatchMuxer } from '../../src/media/ts/batch-muxer.ts'
import { FakeSocket, StoppedClock } from '../live/plain-wire.ts'
import { vhostConfigOf } from '../support/config.ts'
import { recordingLogger } from '../support/logger.ts'
import { tempDir } from '../support/temp-dir.ts'
import { run } from './support/command.ts'
import { media } from './support/media.ts'
import { bareFrames, complaintsAbout, packetsOfFile } from './support/transport-stream.ts'
import { until } from './support/until.ts'

/** The clip, again and again: from one beginning to the next. */
const loopMs = 10_080
const loops = 20

/** Three publishes of 200 s; the last one goes through the wrap of RTMP's timestamps. */
const startsMs = [0, 5000, 2 ** 31 - 100_000]

/** Of the logger, for warnings. */
const warnLevel = 40

/** Segments of 4 s that are surely whole at the end of a loop of 10 s. */
const segmentsOfLoop = 2

/** What an encoder sends that publishes the clip again and again: headers with the first loop, then frames. */
function published(clip: readonly Packet[], startMs: number, loop: number): Packet[] {
  return clip
    .filter((packet) => loop === 0 || !isHeader(packet))
    .map((packet) => ({ ...packet, timestamp: (startMs + loop * loopMs + packet.timestamp) % 2 ** 31 }))
}

/** Has a source send what the three encoders publish; `flushed` is waited for after each loop. */
async function publishAll(source: Source, flushed: (loops: number) => Promise<void>): Promise<void> {
  const clip = await packetsOfFile(media().clip)
  for (const [index, startMs] of startsMs.entries()) {
    source.publish(`encoder ${index}`)
    for (let loop = 0; loop < loops; loop += 1) {
      for (const packet of published(clip, startMs, loop)) source.push(packet)
      await flushed(index * loops + loop)
    }
    source.unpublish()
  }
}

function newSource(): Source {
  return new Source({
    timeJitter: 'full',
    atc: false,
    gopCache: true,
    gopCacheLimits: { maxBytes: 1 << 25, maxDurationMs: 30_000 },
  })
}

/** Ten minutes can be read, and have every frame that was published. */
async function expectAll(input: string): Promise<void> {
  const { stderr } = await run('ffprobe', ['-v', 'error', '-show_entries', 'packet=pts', input])
  expect(stderr).toBe('')
  expect(await complaintsAbout(input, ['-skip_frame', 'nokey'])).toBe('')
  for (const track of ['h264', 'aac'] as const) {
    const once = (await bareFrames(media().clip, track)).map(({ md5 }) => md5)
    const played = (await bareFrames(input, track)).map(({ md5 }) => md5)
    expect(once.length).toBeGreaterThan(200)
    expect(played.length).toBe(startsMs.length * loops * once.length)
    expect(played.every((md5, index) => md5 === once[index % once.length])).toBe(true)
  }
}

test('ten minutes of HLS with two republishes are read without an error, and nothing is missing', async () => {
  const dir = tempDir()
  const { logger, lines } = recordingLogger()
  let written = 0
  const { hls: config } = vhostConfigOf(
    `hls { enabled on; hls_path ${dir}; hls_fragment 4; hls_window 900; }`,
  )
  const hls = new HlsStream('__defaultVhost__/live/show', config, true, logger, {
    onSegment: () => {
      written += 1
    },
    onDisconnect: (code, message) => {
      throw new Error(`${code}: ${message}`)
    },
    isAbsolute: () => false,
  })
  const source = newSource()
  source.join({
    onRestart: () => hls.onRestart(),
    onIdle: () => hls.onIdle(),
    onPacket: (packet) => hls.onPacket(packet),
  })
  await publishAll(source, async (count) => {
    // As fast as the disk takes it: what is more than may wait for it is given up. A loop has two segments and a half.
    await until(`${count * segmentsOfLoop} segments`, () => written >= count * segmentsOfLoop)
  })
  await hls.close()
  expect(lines.filter(({ level }) => level >= warnLevel)).toEqual([])

  const file = join(dir, 'live/show.m3u8')
  const text = readFileSync(file, 'utf8')
  const { segments, targetDuration } = parsePlaylist(text)!
  const lengthMs = segments.reduce((sum, { durationMs }) => sum + durationMs, 0)
  expect(Math.abs(lengthMs - startsMs.length * loops * loopMs)).toBeLessThan(500)
  expect(segments.filter(({ discontinuity }) => discontinuity)).toHaveLength(startsMs.length - 1)
  expect(Math.max(...segments.map(({ durationMs }) => durationMs))).toBeLessThanOrEqual(targetDuration * 1000)

  const ended = join(dir, 'live/ended.m3u8')
  writeFileSync(ended, `${text}#EXT-X-ENDLIST\n`)
  await expectAll(ended)
})

test('so are ten minutes of HTTP-TS', async () => {
  const options = {
    gopCache: true,
    maxBehindMs: 30_000,
    maxBehindBytes: 1 << 22,
    gopCacheMaxBytes: 1 << 25,
    stallMs: 30_000,
  }
  const broadcast = new Broadcast(new TsBatchMuxer(), new StoppedClock(), options)
  const socket = new FakeSocket()
  broadcast.join(new Viewer(socket, () => {}))
  const source = newSource()
  source.join({
    onRestart: () => broadcast.restart(),
    onIdle: () => broadcast.idle(),
    onPacket: (packet) => broadcast.push(packet),
  })
  await publishAll(source, async () => broadcast.flush())
  broadcast.flush()
  const file = join(tempDir(), 'viewer.ts')
  writeFileSync(file, Buffer.concat(socket.written))
  await expectAll(file)
})
