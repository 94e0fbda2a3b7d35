import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { codeOf } from '../../src/base/errors.ts'
import { LivePair } from './support/live-pair.ts'
import { readLog } from './support/log.ts'
import { isRunning, openFiles } from './support/processes.ts'
import { Server, startServer, workersOf } from './support/server.ts'
import { TestPlayer } from './support/test-player.ts'
import { TestPublisher } from './support/test-publisher.ts'
import { until } from './support/until.ts'

test('USR1 after the log was moved away: every process writes to a new file', async () => {
  const server = await startServer({ workers: 2 })
  const live = await LivePair.start(server.url('one'))
  const moved = `${server.logFile}.1`
  renameSync(server.logFile, moved)
  server.master.signal('SIGUSR1')
  await until('every process to have the new file open, and none the old one', () => {
    const open = server.processes().map(({ pid }) => openFiles(pid))
    return open.every((files) => files.includes(server.logFile) && !files.includes(moved))
  })
  await live.goesOn()
  await live.close()
  await server.waitForLog({ role: 'stream', cid: live.player.served.connectionId, msg: 'closed' })
  await server.waitForLog({ role: 'back-source', msg: 'source: publisher left', stream: 'live/one' })
  expect(readLog(moved).some(({ msg }) => msg === 'the server accepts clients')).toBe(true)
})

test('TERM with many clients ends everything soon, with exit status 0', async () => {
  const server = await startServer({ workers: 2 })
  const names = ['a', 'b', 'c', 'd', 'e']
  for (const name of names) (await TestPublisher.publish(server.url(name))).goLive()
  const urls = Array.from({ length: 100 }, (_, index) => server.url(names[index % names.length]!))
  const players = await Promise.all(urls.map((url) => TestPlayer.play(url)))
  for (const player of players) await player.has(5)
  await server.stop()
})

test('INT stops as TERM does', async () => {
  const server = await startServer()
  const { player } = await LivePair.start(server.url('one'))
  server.master.signal('SIGINT')
  await server.hasEnded()
  await player.ended
})

test('QUIT takes no new clients and waits for the ones it has', async () => {
  const server = await startServer({
    workers: 2,
    settings: { grace_start_wait: 0, grace_final_wait: 60_000 },
  })
  const live = await LivePair.start(server.url('one'))
  server.master.signal('SIGQUIT')
  await newClientsAreRefused(server)
  await live.goesOn()
  expect(isRunning(server.master.pid)).toBe(true)
  await live.close()
  await server.hasEnded()
})

test('QUIT stops when grace_final_wait is over, whoever is still there', async () => {
  const server = await startServer({ settings: { grace_start_wait: 0, grace_final_wait: 1000 } })
  const { player } = await LivePair.start(server.url('one'))
  server.master.signal('SIGQUIT')
  await player.ended
  await server.hasEnded()
})

test('QUIT takes new clients during grace_start_wait; INT does not wait for it', async () => {
  const server = await startServer({ workers: 2, settings: { grace_start_wait: 600_000 } })
  const live = await LivePair.start(server.url('one'))
  server.master.signal('SIGQUIT')
  await server.waitForLog({ msg: 'graceful stop' })
  await (await LivePair.start(server.url('two'))).goesOn()
  await live.goesOn()
  server.master.signal('SIGINT')
  await server.hasEnded()
})

test('force_grace_quit: TERM waits for the clients, INT does not', async () => {
  const settings = { force_grace_quit: 'on', grace_start_wait: 0, grace_final_wait: 600_000 }
  const server = await startServer({ workers: 2, settings })
  const live = await LivePair.start(server.url('one'))
  server.master.signal('SIGTERM')
  await newClientsAreRefused(server)
  server.master.signal('SIGTERM')
  await live.goesOn()
  expect(isRunning(server.master.pid)).toBe(true)
  server.master.signal('SIGINT')
  await server.hasEnded()
})

test('force_grace_quit: TERM ends the server when the last client is gone', async () => {
  const settings = { force_grace_quit: 'on', grace_start_wait: 0, grace_final_wait: 600_000 }
  const server = await startServer({ settings })
  const live = await LivePair.start(server.url('one'))
  server.master.signal('SIGTERM')
  await newClientsAreRefused(server)
  await live.close()
  await server.hasEnded()
})

test('USR2 says that it is not available, and nothing else happens', async () => {
  const server = await startServer()
  const live = await LivePair.start(server.url('one'))
  server.master.signal('SIGUSR2')
  const line = await server.waitForLog(({ msg }) => msg.startsWith('SIGUSR2'))
  expect(line).toMatchObject({ level: 'warn', msg: expect.stringContaining('not available') })
  await live.goesOn()
})

test('a worker that gets QUIT is replaced, and keeps the clients it has until they leave', async () => {
  const server = await startServer({ workers: 2 })
  const live = await LivePair.start(server.url('one'))
  const first = workersOf(await server.status(), 'stream').map(({ pid }) => pid)
  const drained = live.player.served.workerPid
  process.kill(drained, 'SIGQUIT')
  await server.waitForLog({ pid: drained, msg: 'draining: a replacement takes new clients' })
  const next = await until('a player on the replacement', async () => {
    const player = await TestPlayer.play(server.url('one'))
    if (!first.includes(player.served.workerPid)) return player
    await player.close()
    return null
  })
  await next.has(10)
  await live.goesOn()
  expect(isRunning(drained)).toBe(true)
  await live.close()
  await until('the drained worker to end', () => !isRunning(drained))
})

test('HUP and INT to a worker do nothing: those of a terminal reach every process, and the master speaks for all', async () => {
  const server = await startServer({ workers: 2 })
  const live = await LivePair.start(server.url('one'))
  const { workers } = await server.status()
  for (const { pid } of workers) for (const signal of ['SIGHUP', 'SIGINT']) process.kill(pid, signal)
  await live.goesOn()
  // A spare may have become ready meanwhile.
  const pids = (await server.status()).workers.map(({ pid }) => pid)
  expect(pids).toEqual(expect.arrayContaining(workers.map(({ pid }) => pid)))
})

test('a worker that gets USR2 tells its state in its log', async () => {
  const server = await startServer()
  const live = await LivePair.start(server.url('one'))
  const { workerPid } = live.player.served
  process.kill(workerPid, 'SIGUSR2')
  const { status } = await server.waitForLog({ msg: 'status', pid: workerPid })
  expect(status).toMatchObject({ role: 'stream', pid: workerPid, connections: 2 })
  await live.goesOn()
})

test('weir ctl sends what its actions say, and shows the status', async () => {
  const server = await startServer({ settings: { grace_start_wait: 0 } })
  const { player } = await LivePair.start(server.url('one'))
  const { pid } = server.master
  const sent = (signal: string) => ({ status: 0, stdout: `weir: sent ${signal} to process ${pid}\n` })
  expect(await server.weir('ctl', 'reload')).toMatchObject(sent('SIGHUP'))
  await server.waitForLog({ msg: 'reloaded' })
  expect(await server.weir('ctl', 'reopen')).toMatchObject(sent('SIGUSR1'))
  await server.waitForLog({ msg: 'log files reopened' })
  const { stdout } = await server.weir('ctl', 'status')
  expect(stdout).toMatch(/^live\/one +\d+ +live +H264 +AAC +1 /m)
  expect(await server.status()).toMatchObject({ pid, connections: 2, sources: 1 })
  expect(await server.weir('ctl', 'quit')).toMatchObject(sent('SIGQUIT'))
  await player.ended
  await server.hasEnded()
  expect(await server.weir('ctl', 'status')).toMatchObject({
    status: 1,
    stdout: '',
    stderr: `weir: NOT_RUNNING: no server holds pid ${server.pidFile}\n`,
  })
})

test('weir ctl stop', async () => {
  const server = await startServer()
  expect(await server.weir('ctl', 'stop')).toMatchObject({ status: 0 })
  await server.hasEnded()
})

test('daemon on: the command comes back when the server accepts clients, and the pid file names it', async () => {
  const server = await Server.prepare({ settings: { daemon: 'on' } })
  const { status, stdout, stderr } = await server.weir()
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  const pid = server.pidInFile()!
  expect(stdout).toContain(`(pid ${pid})`)
  const player = await TestPlayer.play(server.url('one'))
  expect(readFileSync(`/proc/${pid}/cmdline`, 'latin1')).toMatch(/^weir: master/)
  expect(await server.weir('ctl', 'stop')).toMatchObject({ status: 0 })
  await player.ended
  await until('the daemon to end', () => !isRunning(pid))
  server.assertNothingLeft()
  expect(existsSync(server.pidFile)).toBe(false)
})

test('daemon on: it goes on when whoever started it is gone before it has started', async () => {
  const server = await Server.prepare({ settings: { daemon: 'on' } })
  const front = server.command()
  await until('the daemon to begin', () => server.pidInFile() !== null)
  await front.kill()
  const player = await until('the daemon to accept clients', async () => {
    try {
      return await TestPlayer.play(server.url('one'))
    } catch (error) {
      if (codeOf(error) === 'RTMP_CLOSED') return null
      throw error
    }
  })
  await server.waitForLog({ msg: 'the server accepts clients' })
  // Whatever it has to say to nobody it has said by now.
  expect((await server.status()).pid).toBe(server.pidInFile())
  await player.close()
  const pid = server.pidInFile()!
  expect(await server.weir('ctl', 'stop')).toMatchObject({ status: 0 })
  await until('the daemon to end', () => !isRunning(pid))
  server.assertNothingLeft()
})

test('daemon on with a work_dir: paths count from it, the path of the configuration from where it was given', async () => {
  const settings = { daemon: 'on', work_dir: './sub', pid: '../weir.pid', runtime_dir: '../run' }
  const server = await Server.prepare({ settings: { ...settings, srs_log_file: '../weir.log' } })
  for (const name of ['sub', 'conf']) mkdirSync(join(server.dir, name))
  writeFileSync(join(server.dir, 'conf', 'main.conf'), 'include weir.conf;')
  expect(await server.weir('-c', 'conf/main.conf')).toMatchObject({ status: 0, stderr: '' })
  const pid = server.pidInFile()!
  await (await TestPlayer.play(server.url('one'))).close()
  await server.waitForLog({ role: 'master', pid, config: join(server.dir, 'conf/main.conf') })
  expect(await server.weir('ctl', 'reload')).toMatchObject({ status: 0 })
  await server.waitForLog({ msg: 'reloaded' })
  expect(await server.weir('-c', 'weir.conf', 'ctl', 'stop')).toMatchObject({ status: 0 })
  await until('the daemon to end', () => !isRunning(pid))
  server.assertNothingLeft()
})

async function newClientsAreRefused(server: Server): Promise<void> {
  await until('new clients to be refused', async () => {
    try {
      await (await TestPlayer.play(server.url('one'))).close()
      return false
    } catch (error) {
      return codeOf(error) === 'RTMP_CLOSED'
    }
  })
}
