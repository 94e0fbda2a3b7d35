import { expect, test } from 'vitest'
import { firstVideo, framesOf, gapsIn, type Seen, stepsOf } from './support/played.ts'
import { isRunning } from './support/processes.ts'
import { backSourcesOf, type Server, startServer, workersOf } from './support/server.ts'
import { playerOn, playOnEveryWorker, TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until, within } from './support/until.ts'

const workers = 2

test('a stream worker that is killed is replaced, and clients of the other one notice nothing', async () => {
  const server = await startServer({ workers })
  const publisher = await TestPublisher.publish(server.url('one'))
  publisher.goLive()
  const players = await playOnEveryWorker(server.url('one'), workers)
  const near = playerOn(publisher.served.workerPid, players)
  const far = playerOn(otherWorker(players, publisher), players)
  await near.has(20)
  await far.has(20)
  process.kill(far.served.workerPid, 'SIGKILL')
  await within('the players of the dead worker to be closed', far.ended)
  await near.hasMore(50)
  expect(gapsIn(near.packets, publisher.sent)).toEqual([])
  await replaced(server, far.served.workerPid)
  for (const player of await playOnEveryWorker(server.url('one'), workers)) {
    expect(player.served.workerPid).not.toBe(far.served.workerPid)
    await player.has(20)
    expect(framesOf(player.packets)[0]).toMatchObject({ key: true })
  }
})

test('when the worker of a publisher is killed, its players wait on the other worker until it is back', async () => {
  const server = await startServer({ workers })
  const lost = await TestPublisher.publish(server.url('lost'))
  lost.goLive()
  const players = await playOnEveryWorker(server.url('lost'), workers)
  const survivor = otherWorker(players, lost)
  const player = playerOn(survivor, players)
  await player.has(20)
  const other = await publishOn(server, 'other', survivor)
  const untouched = playerOn(survivor, await playOnEveryWorker(server.url('other'), workers))
  await untouched.has(20)
  process.kill(lost.served.workerPid, 'SIGKILL')
  await within('the publisher to be closed', lost.ended)
  await server.waitForLog({ role: 'master', msg: 'a worker died and is replaced' })
  const again = await TestPublisher.publish(server.url('lost'))
  again.goLive()
  await player.hasFrame(framesOf(again.sent)[0]!)
  await player.hasMore(20)
  expect(Math.min(...stepsOf(player.packets))).toBeGreaterThanOrEqual(0)
  await untouched.hasMore(20)
  expect(gapsIn(untouched.packets, other.sent)).toEqual([])
})

test('when a back-source is killed nobody is disconnected, and its stream goes on at a key frame', async () => {
  const server = await startServer({ workers })
  const publisher = await TestPublisher.publish(server.url('one'))
  publisher.goLive()
  const other = await TestPublisher.publish(server.url('other'))
  other.goLive()
  const players = await playOnEveryWorker(server.url('one'), workers)
  const untouched = await TestPlayer.play(server.url('other'))
  for (const player of [...players, untouched]) await player.has(20)
  const [backSource] = backSourcesOf(await server.status(), 'one')
  process.kill(backSource!.pid, 'SIGKILL')
  await until('the back-source to be gone', () => !isRunning(backSource!.pid))
  const last = publisher.sent.at(-1)!
  for (const player of players) {
    const goesOn = await until('the stream to go on', () => firstVideo(sentAfter(player, last, publisher)))
    expect(goesOn).toMatchObject({ key: true })
    await player.hasMore(50)
    for (const [place, next] of gapsIn(player.packets, publisher.sent)) expect(next).toBeGreaterThan(place)
    expect(Math.min(...stepsOf(player.packets))).toBeGreaterThanOrEqual(0)
  }
  expect(publisher.client.closed).toBe(false)
  expect(gapsIn(untouched.packets, other.sent)).toEqual([])
  const [moved] = backSourcesOf(await server.status(), 'one')
  expect(moved!.pid).not.toBe(backSource!.pid)
})

test('when the master is killed clients go on, a new one takes new clients, and old workers end with theirs', async () => {
  const server = await startServer({ workers })
  const publisher = await TestPublisher.publish(server.url('one'))
  publisher.goLive()
  const players = await playOnEveryWorker(server.url('one'), workers)
  for (const player of players) await player.has(20)
  const old = server.processes().map(({ pid }) => pid)
  await server.master.kill()
  await server.start()
  for (const player of players) {
    await player.hasMore(50)
    expect(gapsIn(player.packets, publisher.sent)).toEqual([])
  }
  expect(server.pidInFile()).toBe(server.master.pid)
  const newPublisher = await TestPublisher.publish(server.url('new'))
  newPublisher.goLive()
  const newPlayer = await TestPlayer.play(server.url('new'))
  await newPlayer.has(20)
  expect(old).not.toContain(newPublisher.served.workerPid)
  expect(old).not.toContain(newPlayer.served.workerPid)
  for (const client of [publisher, ...players]) await client.close()
  await until('the old processes to end', () => !old.some(isRunning))
  await newPlayer.hasMore(20)
  expect(gapsIn(newPlayer.packets, newPublisher.sent)).toEqual([])
})

/** Waits until the worker has a successor. */
async function replaced(server: Server, pid: number): Promise<void> {
  await server.waitForStatus('the worker to be replaced', (status) => {
    const pids = workersOf(status, 'stream').map((worker) => worker.pid)
    return pids.length === workers && !pids.includes(pid)
  })
}

/** The worker that the publisher is not on. */
function otherWorker(players: readonly TestPlayer[], { served }: TestPublisher): number {
  const pids = players.map((player) => player.served.workerPid)
  return pids.find((pid) => pid !== served.workerPid)!
}

/** A live publisher on a certain worker: the kernel deals connections, so that it may take several. */
async function publishOn(server: Server, name: string, workerPid: number): Promise<TestPublisher> {
  return until('a publisher on that worker', async () => {
    const publisher = await TestPublisher.publish(server.url(name))
    if (publisher.served.workerPid === workerPid) {
      publisher.goLive()
      return publisher
    }
    await publisher.close()
    return null
  })
}

/** The frames of a player that were sent after another one. */
function sentAfter(player: TestPlayer, last: Seen, publisher: TestPublisher): Seen[] {
  const sent = framesOf(publisher.sent)
  const later = new Set(sent.slice(sent.findIndex(({ md5 }) => md5 === last.md5) + 1).map(({ md5 }) => md5))
  return player.frames.filter(({ md5 }) => later.has(md5))
}
