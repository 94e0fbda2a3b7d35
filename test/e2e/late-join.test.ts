import { setTimeout as delay } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { FfmpegPlayer, publishFile } from './support/ffmpeg.ts'
import { media } from './support/media.ts'
import { contentOf, firstVideo, gapsIn } from './support/played.ts'
import { startServer } from './support/server.ts'
import { frames, headers } from './support/synthetic.ts'
import { take } from './support/take.ts'
import { TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'

const gopFrames = 50
/** For so long a publish is given out from its very beginning to workers that subscribe, in milliseconds. */
const openingMs = 2100
/** Audio and video frames of one and a half GOPs. */
const oneAndAHalf = 3 * gopFrames

for (const workers of [1, 2]) {
  test(`a late player begins with the current GOP without waiting, ${workers} workers`, async () => {
    const server = await startServer({ workers })
    const publisher = await TestPublisher.publish(server.url('one'))
    const early = await TestPlayer.play(server.url('one'))
    const stream = frames({ gopFrames })
    await publisher.begin(stream, [early])
    await publisher.send(take(stream, oneAndAHalf - 2))
    await early.has(oneAndAHalf)
    await delay(openingMs)
    // Nothing is sent from here on: what the late one gets is what the server kept.
    const late = await TestPlayer.play(server.url('one'))
    const currentGop = contentOf(publisher.sent).slice(2 * gopFrames)
    expect(contentOf(await late.has(currentGop.length))).toEqual(currentGop)
    expect(late.packets.slice(0, 3).map(({ md5 }) => md5)).toEqual(headersOf(publisher))
    expect(late.frames[0]).toMatchObject({ key: true, timestamp: late.packets[0]!.timestamp })
    await publisher.send(take(stream, 10))
    await late.has(currentGop.length + 10)
    expect(gapsIn(late.packets, publisher.sent)).toEqual([])
  })
}

test('with gop_cache off a late player gets the headers, then begins at the next key frame', async () => {
  const server = await startServer({ vhost: 'play { gop_cache off; }' })
  const publisher = await TestPublisher.publish(server.url('one'))
  const early = await TestPlayer.play(server.url('one'))
  const stream = frames({ gopFrames })
  await server.waitForSubscribers('one')
  await publisher.send([...headers(), ...take(stream, oneAndAHalf)])
  await early.has(oneAndAHalf)
  const late = await TestPlayer.play(server.url('one'))
  await publisher.send(take(stream, oneAndAHalf))
  const nextGops = contentOf(publisher.sent).slice(4 * gopFrames)
  await late.has(nextGops.length)
  expect(late.packets.slice(0, 3).map(({ md5 }) => md5)).toEqual(headersOf(publisher))
  expect(firstVideo(late.packets)).toMatchObject({ key: true })
  expect(contentOf(late.packets)).toEqual(nextGops)
})

test('ffmpeg joins in the middle and begins with a key frame', async () => {
  const server = await startServer()
  publishFile(media().clip, server.url('one'), { loop: true })
  const early = await TestPlayer.play(server.url('one'))
  await early.has(100)
  const { video } = await new FfmpegPlayer(server.url('one')).has(10, 1)
  const sizes = early.frames.filter(({ key }) => key).map(({ sizeBytes }) => sizeBytes - tagBytes)
  expect(sizes).toContain(video.frames[0]!.sizeBytes)
})

/** Bytes in front of an H.264 frame in an FLV tag (E.4.3): what ffmpeg takes off. */
const tagBytes = 5

function headersOf(publisher: TestPublisher): string[] {
  return publisher.sent.filter(({ header }) => header).map(({ md5 }) => md5)
}
