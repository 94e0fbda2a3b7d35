import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { HlsStream } from '../../src/backsource/hls/hls-stream.ts'
import { Source } from '../../src/live/source.ts'
import { parsePlaylist } from '../../src/media/hls/playlist.ts'
import { isHeader, type Packet } from '../../src/media/packet.ts'
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

test('ten minutes with two republishes are read without an error, and nothing is missing', async () => {
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
  })
  const source = new Source({
    timeJitter: 'full',
    atc: false,
    gopCache: true,
    gopCacheLimits: { maxBytes: 1 << 25, maxDurationMs: 30_000 },
  })
  source.join({
    onRestart: () => hls.onRestart(),
    onIdle: () => hls.onIdle(),
    onPacket: (packet) => hls.onPacket(packet),
  })
  const clip = await packetsOfFile(media().clip)
  for (const [index, startMs] of startsMs.entries()) {
    source.publish(`encoder ${index}`)
    for (let loop = 0; loop < loops; loop += 1) {
      for (const packet of published(clip, startMs, loop)) source.push(packet)
      // As fast as the disk takes it: what is more than may wait for it is given up. A loop has two segments and a half.
      const due = (index * loops + loop) * segmentsOfLoop
      await until(`${due} segments`, () => written >= due)
    }
    source.unpublish()
  }
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
  const { stderr } = await run('ffprobe', ['-v', 'error', '-show_entries', 'packet=pts', ended])
  expect(stderr).toBe('')
  expect(await complaintsAbout(ended, ['-skip_frame', 'nokey'])).toBe('')
  for (const track of ['h264', 'aac'] as const) {
    const once = (await bareFrames(media().clip, track)).map(({ md5 }) => md5)
    const played = (await bareFrames(ended, track)).map(({ md5 }) => md5)
    const times = startsMs.length * loops
    expect(played.length).toBe(times * once.length)
    expect(played.every((md5, index) => md5 === once[index % once.length])).toBe(true)
  }
})
