import { expect, test } from 'vitest'
import { publishFile } from './support/ffmpeg.ts'
import { media } from './support/media.ts'
import { contentOf, fromKeyFrame, seenInFile } from './support/played.ts'
import { backSourcesOf, type Server, startServer, workersOf } from './support/server.ts'
import { TestPlayer } from './support/test-player.ts'

/** Long enough for the streams to be there still when their players have been checked. */
const lingerSeconds = 60

test('20 streams have 20 back-sources, and each player gets its own stream', async () => {
  // All processes are there before: a machine that boots too slowly for streams that begin at once has them share some.
  const settings = { source_linger: lingerSeconds, max_processes: 20, spare_processes: 20 }
  const server = await startServer({ workers: 2, settings })
  await server.waitForStatus('20 spares', (status) => workersOf(status, 'back-source').length === 20)
  await playAll(server)
  const status = await server.status()
  const held = backSourcesOf(status).map(({ streams }) => streams.length)
  expect(held).toEqual(media().tiny.map(() => 1))
})

test('above max_processes streams share back-sources evenly, and each player gets its own stream', async () => {
  const server = await startServer({
    workers: 2,
    settings: { source_linger: lingerSeconds, max_processes: 4 },
  })
  await playAll(server)
  const status = await server.status()
  const held = backSourcesOf(status).map(({ streams }) => streams.length)
  expect(held).toEqual([5, 5, 5, 5])
})

/** Publishes all tiny clips at once and checks that each player plays its own from the first frame to the last. */
async function playAll(server: Server): Promise<void> {
  const files = media().tiny
  const players = await Promise.all(files.map((_, index) => TestPlayer.play(server.url(`s${index}`))))
  for (const [index, file] of files.entries()) publishFile(file, server.url(`s${index}`), { rate: 2 })
  for (const [index, file] of files.entries()) {
    const clip = await seenInFile(file)
    const player = players[index]!
    await player.hasFrame(clip.at(-1)!)
    // Audio before the first key frame may be over before a player's worker has found the stream.
    expect(contentOf(fromKeyFrame(player.packets))).toEqual(contentOf(fromKeyFrame(clip)))
  }
}
