import { describe, expect, test } from 'vitest'
import { contentOf, framesOf, type Seen } from './support/played.ts'
import { type Server, startServer } from './support/server.ts'
import { frames } from './support/synthetic.ts'
import { take } from './support/take.ts'
import { TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'

/** Half of the frames stand before the border, half behind it. */
const frameCount = 100
const frameMs = 40
const beforeBorderMs = (frameCount / 4) * frameMs

const borders = [
  { name: '0xffffff, where extended timestamps begin', borderMs: 0xffffff, wrapMs: 2 ** 32 },
  { name: '0x7fffffff, counting on', borderMs: 0x7fffffff, wrapMs: 2 ** 32 },
  { name: '0x7fffffff, counting from 0 again', borderMs: 0x7fffffff, wrapMs: 2 ** 31 },
  { name: '0xffffffff, counting from 0 again', borderMs: 0xffffffff, wrapMs: 2 ** 32 },
]

describe.each(borders)('timestamps across $name', ({ borderMs, wrapMs }) => {
  const startMs = borderMs - beforeBorderMs

  test('time_jitter full: the stream begins at 0 and goes on evenly', async () => {
    const server = await startServer({ vhost: 'play { time_jitter full; }' })
    const { played } = await playAcross(server, startMs, wrapMs)
    expect(timesOf(played)).toEqual(played.map((_, index) => (index * frameMs) / 2))
  })

  test.each(['play { time_jitter off; }', 'play { atc on; }'])('%s: as they were sent', async (vhost) => {
    const server = await startServer({ vhost })
    const { sent, played } = await playAcross(server, startMs, wrapMs)
    expect(timesOf(played)).toEqual(timesOf(sent))
  })
})

async function playAcross(server: Server, startMs: number, wrapMs: number) {
  const player = await TestPlayer.play(server.url('one'))
  const publisher = await TestPublisher.publish(server.url('one'))
  const stream = frames({ startMs, wrapMs, frameMs })
  await publisher.begin(stream, [player], startMs)
  await publisher.send(take(stream, frameCount - 2))
  const played = await player.has(frameCount)
  const sent = framesOf(publisher.sent)
  expect(contentOf(played)).toEqual(contentOf(sent))
  return { sent, played }
}

function timesOf(packets: readonly Seen[]): number[] {
  return packets.map(({ timestamp }) => timestamp)
}
