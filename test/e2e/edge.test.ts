import { expect, test } from 'vitest'
import { gapsIn } from './support/played.ts'
import { backSourcesOf, startServer } from './support/server.ts'
import { TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'

test('an edge pulls a stream once for all its players', async () => {
  const origin = await startServer()
  const edge = await startServer({
    workers: 2,
    vhost: `cluster { mode remote; origin 127.0.0.1:${origin.port}; pull_linger 0; }`,
  })
  const publisher = await TestPublisher.publish(origin.url('one'))
  publisher.goLive()
  const players = await Promise.all(Array.from({ length: 4 }, () => TestPlayer.play(edge.url('one'))))
  for (const player of players) {
    await player.has(30)
    expect(gapsIn(player.packets, publisher.sent)).toEqual([])
  }
  expect(backSourcesOf(await edge.status(), 'one').length).toBe(1)
  expect(
    edge.logs().filter(({ msg }) => msg === 'pull: the stream comes from an upstream server').length,
  ).toBe(1)
})
