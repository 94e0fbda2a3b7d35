import { expect, test } from 'vitest'
import { FfmpegPlayer, publishFile } from './support/ffmpeg.ts'
import { media } from './support/media.ts'
import { firstVideo, framesOf, fromFrame, gapsIn, stepsOf } from './support/played.ts'
import { isRunning } from './support/processes.ts'
import { backSourcesOf, startServer } from './support/server.ts'
import { TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until } from './support/until.ts'

test('a publisher that is killed and started again goes on for its players, in time and in picture', async () => {
  const server = await startServer()
  const player = await TestPlayer.play(server.url('one'))
  const ffmpegPlayer = new FfmpegPlayer(server.url('one'))
  const first = publishFile(media().clip, server.url('one'), { loop: true })
  await player.has(100)
  const before = await ffmpegPlayer.has(30, 30)
  await first.kill()
  await server.waitForLog({ msg: 'source: publisher left' })
  const playedOfFirst = player.packets.length
  publishFile(media().clip, server.url('one'), { loop: true })
  await player.hasMore(100)
  // A publisher begins with headers.
  const restart = player.packets.findLastIndex(({ header }) => header)
  expect(restart).toBeGreaterThanOrEqual(playedOfFirst)
  expect(firstVideo(player.packets.slice(restart))).toMatchObject({ key: true })
  expect(Math.min(...stepsOf(player.packets))).toBeGreaterThanOrEqual(0)
  const after = await ffmpegPlayer.has(before.video.frames.length + 30, before.audio.frames.length + 30)
  const times = after.video.frames.map(({ dts }) => dts)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
})

test('a publisher that returns within source_linger finds its back-source again', async () => {
  const server = await startServer({ settings: { source_linger: 60 } })
  const player = await TestPlayer.play(server.url('one'))
  const pids: number[] = []
  for (const _ of ['first', 'second']) {
    const publisher = await TestPublisher.publish(server.url('one'))
    publisher.goLive()
    await player.hasMore(50)
    pids.push(...backSourcesOf(await server.status(), 'one').map(({ pid }) => pid))
    await publisher.close()
  }
  expect(pids).toHaveLength(2)
  expect(pids[1]).toBe(pids[0])
  expect(Math.min(...stepsOf(player.packets))).toBeGreaterThanOrEqual(0)
})

test('beyond source_linger the back-source ends, and players get the stream when it is published again', async () => {
  const server = await startServer({ settings: { source_linger: 1 } })
  const player = await TestPlayer.play(server.url('one'))
  const first = await TestPublisher.publish(server.url('one'))
  first.goLive()
  await player.has(50)
  const [backSource] = backSourcesOf(await server.status(), 'one')
  await first.close()
  await until('the back-source to end', () => !isRunning(backSource!.pid))
  await server.waitForLog({ msg: 'source: closed', stream: 'live/one' })
  const second = await TestPublisher.publish(server.url('one'))
  second.goLive()
  const begin = framesOf(second.sent)[0]!
  await player.hasFrame(begin)
  await player.hasMore(50)
  expect(gapsIn(fromFrame(player.packets, begin), second.sent)).toEqual([])
  expect(Math.min(...stepsOf(player.packets))).toBeGreaterThanOrEqual(0)
})
