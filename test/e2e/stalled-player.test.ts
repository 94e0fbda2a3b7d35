import { expect, onTestFinished, test } from 'vitest'
import { RtmpClient } from '../../src/client/rtmp-client.ts'
import { framesOf, gapsIn, type Seen, seen } from './support/played.ts'
import { openSockets } from './support/processes.ts'
import { type Server, startServer } from './support/server.ts'
import { frames, headers } from './support/synthetic.ts'
import { take } from './support/take.ts'
import { servedBy, TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until } from './support/until.ts'

/** 3 MB each, so that what one player leaves unread is far above what sockets and systems hold back. */
const gop = { gopFrames: 25, frameBytes: 120_000 }
const packetsPerGop = 2 * gop.gopFrames
/** After these the server's memory is that of a server at work, with the garbage that its collector allows. */
const warmUpGops = 15
const gops = 40

/** More than a server may keep for one that does not read, less than half of what that one leaves unread. */
const growthBytes = 50 * 1024 * 1024

test('a player that stops reading disturbs nobody, costs little, and goes on at a key frame', async () => {
  const server = await startServer()
  const publisher = await TestPublisher.publish(server.url('one'))
  const reader = await TestPlayer.play(server.url('one'))
  await publisher.send(headers())
  const stream = frames(gop)
  const sendGops = async (count: number): Promise<void> => {
    for (let sent = 0; sent < count; sent += 1) {
      await publisher.send(take(stream, packetsPerGop))
      await reader.hasFrame(publisher.sent.at(-1)!)
    }
  }
  await sendGops(warmUpGops)
  const before = await server.streamWorkerBytes()
  const stalled = await playWithoutReading(server)
  await sendGops(gops)
  const after = await server.streamWorkerBytes()
  expect(after - before).toBeLessThan(growthBytes)
  expect(gapsIn(reader.packets, publisher.sent)).toEqual([])

  const played: Seen[] = []
  const reading = readInto(stalled, played)
  const [next] = take(stream, 1)
  await publisher.send([next!])
  await until('the player to catch up', () => played.at(-1)?.md5 === seen(next!).md5)
  const gaps = gapsIn(played, publisher.sent)
  expect(gaps.length).toBeGreaterThan(0)
  const sent = framesOf(publisher.sent)
  for (const [place, resumed] of gaps) {
    expect(resumed).toBeGreaterThan(place)
    expect(sent[resumed]).toMatchObject({ key: true })
  }
  stalled.close()
  await reading
})

test('a player that never reads again is closed after stall_timeout, and nothing is kept for it', async () => {
  const server = await startServer({ settings: { stall_timeout: 1 } })
  const publisher = await TestPublisher.publish(server.url('one'))
  const reader = await TestPlayer.play(server.url('one'))
  const { workerPid } = reader.served
  publisher.goLive(gop)
  await reader.has(packetsPerGop)
  const sockets = openSockets(workerPid)
  const { connectionId } = servedBy(await playWithoutReading(server))
  const line = await server.waitForLog({ cid: connectionId, msg: 'closed' })
  expect(line).toMatchObject({ level: 'warn', code: 'PLAYER_STALLED' })
  await until('the socket of the stalled player to be closed', () => openSockets(workerPid) === sockets)
  await reader.hasMore(packetsPerGop)
  expect(gapsIn(reader.packets, publisher.sent)).toEqual([])
})

/** A player whose packets nobody takes: when its own small queue is full, it reads nothing from its socket. */
async function playWithoutReading(server: Server): Promise<RtmpClient> {
  const client = await RtmpClient.connect(server.url('one'))
  onTestFinished(() => client.close())
  await client.play()
  return client
}

/** Takes a player's packets until it is closed. */
async function readInto(client: RtmpClient, played: Seen[]): Promise<void> {
  for await (const packet of client.packets()) played.push(seen(packet))
}
