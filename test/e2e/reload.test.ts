import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { codeOf, WeirError } from '../../src/base/errors.ts'
import { freePort } from './support/free-port.ts'
import { LivePair } from './support/live-pair.ts'
import { framesOf, gapsIn } from './support/played.ts'
import { type Server, startServer, workersOf } from './support/server.ts'
import { frames } from './support/synthetic.ts'
import { take } from './support/take.ts'
import { playOnEveryWorker, TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until, within } from './support/until.ts'

test('a file that is not valid changes nothing, and the log says where and why', async () => {
  const server = await startServer()
  const live = await LivePair.start(server.url('one'))
  const before = await server.status()
  server.writeConfig(`listen ${server.port};\nmax_conections 5;\n`)
  server.master.signal('SIGHUP')
  const line = await server.waitForLog(({ msg }) => msg.startsWith('reload refused'))
  expect(line).toMatchObject({ level: 'error', code: 'CONFIG_UNKNOWN_DIRECTIVE' })
  expect(line.msg).toContain(`${server.configFile}:2:1`)
  expect(line.msg).toContain('max_connections')
  await live.goesOn()
  server.configure({})
  expect(await server.status()).toMatchObject({ maxConnections: before.maxConnections, connections: 2 })
})

test('an address that cannot be listened on: nothing changes, and a worker that dies is replaced', async () => {
  const server = await startServer({ workers: 1 })
  const taken = await freePort()
  const holder = createServer().listen(taken)
  onTestFinished(() => void holder.close())
  await once(holder, 'listening')
  server.change({ listen: `${server.port} ${taken}`, max_connections: 5 })
  server.master.signal('SIGHUP')
  const line = await server.waitForLog(({ msg }) => msg.startsWith('reload refused'))
  expect(line).toMatchObject({ level: 'error', code: 'LISTEN' })
  expect(line.msg).toContain(`listen ${taken}: the port is in use by`)
  const { maxConnections, workers } = await server.status()
  expect(maxConnections).not.toBe(5)
  const { pid } = workers.find(({ role }) => role === 'stream')!
  process.kill(pid, 'SIGKILL')
  await server.waitForStatus('the replacement', (now) =>
    workersOf(now, 'stream').some((worker) => worker.pid !== pid),
  )
  await LivePair.start(server.url('one'))
})

test('an address beside the one that is listened on, on the same port', async () => {
  const server = await startServer({ workers: 2 })
  const live = await LivePair.start(server.url('one'))
  server.change({ listen: `127.0.0.1:${server.port}` })
  await server.reload()
  const address = `127.0.0.1:${server.port}`
  await until('both workers to listen on it', () => listening(server, address) === 2)
  await (await LivePair.start(server.url('two'))).goesOn()
  await live.goesOn()
})

test('many reloads at once are done one after the other', async () => {
  const server = await startServer({ workers: 1 })
  const ports = [await freePort(), await freePort(), await freePort()]
  for (const port of ports) {
    server.change({ listen: `${server.port} ${port}` })
    server.master.signal('SIGHUP')
  }
  await until('the last one', () => listening(server, `[::]:${ports[2]}`) === 1)
  await LivePair.start(server.url('one'))
  expect(await isRefused(`rtmp://127.0.0.1:${ports[0]}/live/one`)).toBe(true)
})

test('a log file that cannot be opened: nothing changes, and everybody goes on', async () => {
  const server = await startServer({ workers: 2 })
  const live = await LivePair.start(server.url('one'))
  writeFileSync(join(server.dir, 'file'), '')
  server.change({ srs_log_file: './file/weir.log', max_connections: 5 })
  server.master.signal('SIGHUP')
  const line = await server.waitForLog(({ msg }) => msg.startsWith('reload refused'))
  expect(line).toMatchObject({ level: 'error', code: 'LOG_FILE' })
  expect(line.msg).toContain('srs_log_file ./file/weir.log')
  expect((await server.status()).maxConnections).not.toBe(5)
  await live.goesOn()
  server.change({ srs_log_file: './weir.log' })
  await server.reload()
  expect((await server.status()).maxConnections).toBe(5)
})

test('gop_cache off holds for players that join from then on', async () => {
  const server = await startServer()
  const publisher = await TestPublisher.publish(server.url('one'))
  const early = await TestPlayer.play(server.url('one'))
  const stream = frames({ gopFrames: 10 })
  await publisher.begin(stream, [early])
  await publisher.send(take(stream, 28))
  await early.has(30)
  server.configure({ vhost: 'play { gop_cache off; }' })
  await server.reload()
  const late = await TestPlayer.play(server.url('one'))
  await publisher.send(take(stream, 30))
  // Its first frame is the key frame that came after it, not the one that was cached before.
  await late.has(20)
  expect(late.frames[0]!.md5).toBe(framesOf(publisher.sent)[40]!.md5)
  await early.has(60)
  expect(gapsIn(early.packets, publisher.sent)).toEqual([])
})

test('a listen address is added and another one taken away, and who is connected stays', async () => {
  const server = await startServer({ workers: 2 })
  const live = await LivePair.start(server.url('one'))
  const port = await freePort()
  const at = (number: number): string => `rtmp://127.0.0.1:${number}/live/one`
  server.change({ listen: `${server.port} ${port}` })
  await server.reload()
  await until('both workers to listen on the new port', () => listening(server, `[::]:${port}`) === 2)
  await (await TestPlayer.play(at(port))).has(10)
  server.change({ listen: port })
  await server.reload()
  await until('the old port to be closed', () => isRefused(at(server.port)))
  await (await TestPlayer.play(at(port))).has(10)
  await live.goesOn()
})

test('a vhost that is taken away loses its clients, and nobody else', async () => {
  const more = 'vhost other.example.com { }'
  const server = await startServer({ more })
  const live = await LivePair.start(server.url('one'))
  const other = `${server.url('one')}?vhost=other.example.com`
  const { publisher, player } = await LivePair.start(other)
  server.configure({})
  await server.reload()
  await within('the publisher of the vhost to be closed', publisher.ended)
  await within('the player of the vhost to be closed', player.ended)
  for (const { served } of [publisher, player]) {
    await server.waitForLog({ cid: served.connectionId, msg: 'closed', level: 'warn' })
  }
  await live.goesOn()
})

test('worker_processes up and down: more workers, then fewer, and their clients stay with them', async () => {
  const server = await startServer({ workers: 1 })
  const live = await LivePair.start(server.url('one'))
  server.configure({ workers: 3 })
  await server.reload()
  const players = await playOnEveryWorker(server.url('one'), 3)
  server.configure({ workers: 1 })
  await server.reload()
  // The two that drain stay until their players leave.
  expect(workersOf(await server.status(), 'stream')).toHaveLength(3)
  for (const player of players) {
    const { length } = player.frames
    await player.has(length + 20)
    expect(gapsIn(player.packets, live.publisher.sent)).toEqual([])
    await player.close()
  }
  await server.waitForStatus('the drained workers to end', (now) => workersOf(now, 'stream').length === 1)
  await live.goesOn()
})

test('a worker that drains takes no new clients after a reload, either', async () => {
  const server = await startServer({ workers: 1 })
  const live = await LivePair.start(server.url('one'))
  const drained = live.player.served.workerPid
  process.kill(drained, 'SIGTERM')
  const readyLines = (): number => server.logs().filter(({ msg }) => msg === 'worker is ready').length
  await until('the replacement to be ready', () => readyLines() === 2)
  await server.reload()
  // Each worker answers after what it was told before.
  expect(workersOf(await server.status(), 'stream')).toHaveLength(2)
  await live.goesOn()
  for (let count = 0; count < 20; count += 1) {
    const player = await TestPlayer.play(server.url('one'))
    expect(player.served.workerPid).not.toBe(drained)
    await player.close()
  }
})

test('max_connections: the new limit holds for new clients', async () => {
  const server = await startServer()
  const live = await LivePair.start(server.url('one'))
  server.change({ max_connections: 2 })
  await server.reload()
  await expect(TestPlayer.play(server.url('one'))).rejects.toMatchObject({ code: 'RTMP_CLOSED' })
  server.change({ max_connections: 3 })
  await server.reload()
  await (await TestPlayer.play(server.url('one'))).has(10)
  await live.goesOn()
})

/** How many stream workers said last that they listen on an address. */
function listening(server: Server, address: string): number {
  const latest = new Map<number, boolean>()
  for (const { msg, pid, listen } of server.logs()) {
    if (msg === 'listening') latest.set(pid, (listen as string[]).includes(address))
  }
  return [...latest.values()].filter(Boolean).length
}

/** Whether nobody listens. */
async function isRefused(url: string): Promise<boolean> {
  try {
    await (await TestPlayer.play(url)).close()
    return false
  } catch (error) {
    return error instanceof WeirError && codeOf(error.cause) === 'ECONNREFUSED'
  }
}
