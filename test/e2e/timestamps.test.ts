import { describe, expect, test } from 'vitest'
import { contentOf, framesOf, type Seen } from './support/played.ts'
import { sharedServer } from './support/shared-server.ts'
import { frames } from './support/synthetic.ts'
import { take } from './support/take.ts'
import { TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'

/** Half of the frames stand before the border, half behind it. */
const frameCount = 100
const frameMs = 40
const beforeBorderMs = (frameCount / 4) * frameMs

/** Virtual hosts, and how they treat the times that were sent. */
const asSent = { 'off.test': 'play { time_jitter off; }', 'atc.test': 'play { atc on; }' }

const server = sharedServer({
  vhost: 'play { time_jitter full; }',
  more: Object.entries(asSent)
    .map(([name, play]) => `vhost ${name} { ${play} }`)
    .join('\n'),
})

const borders = [
  { name: '0xffffff, where extended timestamps begin', borderMs: 0xffffff, wrapMs: 2 ** 32 },
  { name: '0x7fffffff, counting on', borderMs: 0x7fffffff, wrapMs: 2 ** 32 },
  { name: '0x7fffffff, counting from 0 again', borderMs: 0x7fffffff, wrapMs: 2 ** 31 },
  { name: '0xffffffff, counting from 0 again', borderMs: 0xffffffff, wrapMs: 2 ** 32 },
]

describe.each(borders)('timestamps across $name', ({ borderMs, wrapMs }) => {
  const startMs = borderMs - beforeBorderMs
  const stream = `from-${startMs}-below-${wrapMs}`

  test('time_jitter full: the stream begins at 0 and goes on evenly', async () => {
    const { played } = await playAcross(stream, startMs, wrapMs)
    expect(timesOf(played)).toEqual(played.map((_, index) => (index * frameMs) / 2))
  })

  test.each(Object.entries(asSent))('%s with %s: as they were sent', async (vhost) => {
    const { sent, played } = await playAcross(`${stream}?vhost=${vhost}`, startMs, wrapMs)
    expect(timesOf(played)).toEqual(timesOf(sent))
  })
})

async function playAcross(stream: string, startMs: number, wrapMs: number) {
  const player = await TestPlayer.play(server().url(stream))
  const publisher = await TestPublisher.publish(server().url(stream))
  const source = frames({ startMs, wrapMs, frameMs })
  await publisher.begin(source, [player], startMs)
  await publisher.send(take(source, frameCount - 2))
  const played = await player.has(frameCount)
  const sent = framesOf(publisher.sent)
  expect(contentOf(played)).toEqual(contentOf(sent))
  return { sent, played }
}

function timesOf(packets: readonly Seen[]): number[] {
  return packets.map(({ timestamp }) => timestamp)
}
