import { expect, test } from 'vitest'
import { framesOf, gapsIn, seen } from './support/played.ts'
import { openSockets } from './support/processes.ts'
import { type Server, startServer, workersOf } from './support/server.ts'
import { frames, headers } from './support/synthetic.ts'
import { take } from './support/take.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until } from './support/until.ts'
import { HttpPlayer } from './support/web-player.ts'

/** 3 MB each, so that what one viewer leaves unread is far above what sockets and systems hold back. */
const gop = { gopFrames: 25, frameBytes: 120_000 }
const packetsPerGop = 2 * gop.gopFrames
/** After these the server's memory is that of a server at work, with the garbage that its collector allows. */
const warmUpGops = 15
const gops = 40

/** More than a server may keep for one that does not read, less than half of what that one leaves unread. */
const growthBytes = 50 * 1024 * 1024

const vhost = 'http_remux { enabled on; }'

test('a viewer that stops reading disturbs nobody, costs little, and goes on at a key frame', async () => {
  const server = await startServer({ httpWorkers: 1, vhost })
  const url = server.httpUrl('/live/one.flv')
  const joining = HttpPlayer.play(url)
  await server.waitForLog({ role: 'http', msg: 'accepted' })
  const publisher = await TestPublisher.publish(server.url('one'))
  await publisher.send(headers())
  const stream = frames(gop)
  await publisher.send(take(stream, 2))
  const reader = await joining
  const sendGops = async (count: number): Promise<void> => {
    for (let sent = 0; sent < count; sent += 1) {
      await publisher.send(take(stream, packetsPerGop))
      await reader.hasFrame(publisher.sent.at(-1)!)
    }
  }
  await sendGops(warmUpGops)
  const before = await workerBytes(server)
  const stalled = await HttpPlayer.connect(url)
  await sendGops(gops)
  expect((await workerBytes(server)) - before).toBeLessThan(growthBytes)
  expect(gapsIn(reader.packets, publisher.sent)).toEqual([])

  stalled.read()
  const [next] = take(stream, 1)
  await publisher.send([next!])
  await stalled.hasFrame(seen(next!))
  const gaps = gapsIn(stalled.packets, publisher.sent)
  expect(gaps.length).toBeGreaterThan(0)
  const sent = framesOf(publisher.sent)
  for (const [place, resumed] of gaps) {
    expect(resumed).toBeGreaterThan(place)
    expect(sent[resumed]).toMatchObject({ key: true })
  }
})

test('a viewer that never reads again is closed after stall_timeout, and nothing is kept for it', async () => {
  const server = await startServer({ httpWorkers: 1, vhost, settings: { stall_timeout: 1 } })
  const url = server.httpUrl('/live/one.flv')
  const publisher = await TestPublisher.publish(server.url('one'))
  publisher.goLive(gop)
  const reader = await HttpPlayer.play(url)
  await reader.has(packetsPerGop)
  const [worker] = workersOf(await server.status(), 'http')
  const sockets = openSockets(worker!.pid)
  await HttpPlayer.connect(url)
  const line = await server.waitForLog({ role: 'http', msg: 'closed' })
  expect(line).toMatchObject({ level: 'warn', code: 'PLAYER_STALLED' })
  await until('the socket of the stalled viewer to be closed', () => openSockets(worker!.pid) === sockets)
  await reader.hasMore(packetsPerGop)
  expect(gapsIn(reader.packets, publisher.sent)).toEqual([])
})

async function workerBytes(server: Server): Promise<number> {
  const [worker] = workersOf(await server.status(), 'http')
  if (worker === undefined) throw new Error('no HTTP worker answered')
  return worker.rssBytes
}
