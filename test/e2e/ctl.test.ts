import { existsSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import type { ServerStatus } from '../../src/master/control-contract.ts'
import { LivePair } from './support/live-pair.ts'
import { type Server, startServer } from './support/server.ts'

/** Whose edits are broken by a name that does not exist; the grammar is right. */
async function withBrokenEdit(): Promise<Server> {
  const server = await startServer({ settings: { grace_start_wait: 0 } })
  server.change({ max_conections: 5 })
  return server
}

const misspelt = expect.stringContaining('"max_conections"')

test('a broken edit: ctl reload reaches the server, which refuses it, and goes on', async () => {
  const server = await withBrokenEdit()
  const live = await LivePair.start(server.url('one'))
  expect(await server.weir('ctl', 'reload')).toMatchObject({ status: 0, stderr: '' })
  expect(await server.waitForLog({ code: 'CONFIG_UNKNOWN_DIRECTIVE' })).toMatchObject({ msg: misspelt })
  expect(await server.weir('ctl', 'reopen')).toMatchObject({ status: 0, stderr: '' })
  await server.waitForLog({ msg: 'log files reopened' })
  expect(await server.status()).toMatchObject({ pid: server.master.pid })
  await live.goesOn()
})

test.each(['stop', 'quit'])('a broken edit: ctl %s', async (action) => {
  const server = await withBrokenEdit()
  expect(await server.weir('ctl', action)).toMatchObject({ status: 0, stderr: '' })
  await server.hasEnded()
})

test('a configuration that is none at all: one line says what is wrong, and what helps', async () => {
  const server = await startServer()
  server.writeConfig('vhost {')
  for (const action of ['status', 'stop']) {
    const { status, stdout, stderr } = await server.weir('ctl', action)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(/^weir: CONFIG_SYNTAX: .*weir\.conf:1:8: .* --pid-file FILE .*\n$/)
  }
})

test('--pid-file: a server is controlled without its configuration', async () => {
  const server = await startServer()
  server.writeConfig('vhost {')
  const { status, stdout } = await server.weir('ctl', '--pid-file', 'weir.pid', 'status', '--json')
  expect(status).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ pid: server.master.pid })
  expect(await server.weir('ctl', 'stop', '--pid-file', server.pidFile)).toMatchObject({ status: 0 })
  await server.hasEnded()
  expect(existsSync(server.pidFile)).toBe(false)
  expect(await server.weir('ctl', 'stop', '--pid-file', server.pidFile)).toMatchObject({
    status: 1,
    stderr: `weir: NOT_RUNNING: no server holds pid ${server.pidFile}\n`,
  })
})

test('an edit that moves the runtime_dir does not hide the running server', async () => {
  const server = await startServer()
  server.change({ runtime_dir: './elsewhere' })
  expect(await server.status()).toMatchObject({ pid: server.master.pid })
})

test('ctl status shows a process that hangs', async () => {
  const server = await startServer({ workers: 2 })
  const { workers } = await server.status()
  const { pid, role, index } = workers.find((worker) => worker.role === 'stream')!
  process.kill(pid, 'SIGSTOP')
  onTestFinished(() => void process.kill(pid, 'SIGCONT'))
  const hanging = ({ silent }: ServerStatus) => silent.filter(({ state }) => state === 'no answer')
  const status = await server.status()
  expect(hanging(status)).toEqual([{ role, index, pid, state: 'no answer' }])
  expect(status.workers.map((worker) => worker.pid)).not.toContain(pid)
  const { stdout } = await server.weir('ctl', 'status')
  expect(stdout).toMatch(new RegExp(`^${role} ${index} +${pid} +no answer`, 'm'))
  process.kill(pid, 'SIGCONT')
  expect(hanging(await server.status())).toEqual([])
})
