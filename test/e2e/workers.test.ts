import { expect, test } from 'vitest'
import { publishFile } from './support/ffmpeg.ts'
import { media } from './support/media.ts'
import { contentOf, gapsIn, seenInFile } from './support/played.ts'
import { startServer, workersOf } from './support/server.ts'
import { playOnEveryWorker } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'

const workers = 2

test('players on every worker get the same bytes, whichever worker has the publisher', async () => {
  const server = await startServer({ workers })
  const players = await playOnEveryWorker(server.url('one'), workers)
  const pids = new Set(players.map(({ served }) => served.workerPid))
  const status = await server.status()
  expect(pids).toEqual(new Set(workersOf(status, 'stream').map(({ pid }) => pid)))
  publishFile(media().clip, server.url('one'), { rate: 3 })
  const clip = contentOf(await seenInFile(media().clip))
  for (const player of players) {
    expect(contentOf(await player.has(clip.length))).toEqual(clip)
  }
  const times = players.map(({ frames }) => frames.map(({ timestamp }) => timestamp))
  for (const other of times.slice(1)) expect(other).toEqual(times[0])
})

test('each of two publishers reaches the players of both workers', async () => {
  const server = await startServer({ workers })
  for (const name of ['one', 'two']) {
    const publisher = await TestPublisher.publish(server.url(name))
    publisher.goLive()
    for (const player of await playOnEveryWorker(server.url(name), workers)) {
      await player.has(50)
      expect(gapsIn(player.packets, publisher.sent)).toEqual([])
    }
  }
})
