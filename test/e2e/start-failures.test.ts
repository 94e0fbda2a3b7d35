import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { freePort } from './support/free-port.ts'
import { Server, startServer } from './support/server.ts'

test('a configuration file that is missing', async () => {
  const server = await Server.prepare()
  const missing = join(server.dir, 'missing.conf')
  await failsToStart(server, ['CONFIG_UNREADABLE', missing], ['-c', missing])
})

test('a configuration file that does not parse', async () => {
  const server = await Server.prepare()
  server.writeConfig('listen 1935;\nvhost __defaultVhost__ {\n')
  await failsToStart(server, ['CONFIG_SYNTAX', `${server.configFile}:`])
})

test('a directive that does not exist, with the one that may be meant', async () => {
  const server = await Server.prepare({ settings: { worker_proceses: 2 } })
  await failsToStart(server, ['CONFIG_UNKNOWN_DIRECTIVE', 'worker_proceses', '"worker_processes"'])
})

test('a port that is in use, with its holder', async () => {
  const port = await freePort()
  const holder = createServer().listen(port)
  onTestFinished(() => void holder.close())
  const server = await Server.prepare({ settings: { listen: port } })
  await failsToStart(server, ['LISTEN', `listen ${port}`, `pid ${process.pid}`])
})

test('an HTTP port that is in use, with its holder', async () => {
  const server = await Server.prepare({ httpWorkers: 1 })
  const holder = createServer().listen(server.httpPort)
  onTestFinished(() => void holder.close())
  await failsToStart(server, ['LISTEN', `listen ${server.httpPort}`, `pid ${process.pid}`])
})

test('an HTTP port that is the RTMP port too', async () => {
  const server = await Server.prepare()
  server.configure({ more: `http_server { enabled on; listen ${server.port}; }` })
  await failsToStart(server, ['CONFIG_DUPLICATE', `listen ${server.port}`, 'http_server'])
})

test('an HTTP address that this machine does not have', async () => {
  const server = await Server.prepare({ more: 'http_api { enabled on; listen 192.0.2.1:1985; }' })
  await failsToStart(server, ['LISTEN', '192.0.2.1:1985'])
})

test('a port that another server has', async () => {
  const first = await startServer()
  const second = await Server.prepare({ settings: { listen: first.port } })
  await failsToStart(second, ['LISTEN', `listen ${first.port}`, 'pid'])
})

test('a pid file that a living master holds', async () => {
  const first = await startServer()
  const second = await Server.prepare({ settings: { pid: first.pidFile } })
  await failsToStart(second, ['PID_FILE', first.pidFile, String(first.master.pid)])
  expect(first.pidInFile()).toBe(first.master.pid)
})

test('a runtime_dir that cannot be made', async () => {
  const server = await Server.prepare({ settings: { runtime_dir: './file/run' } })
  writeFileSync(join(server.dir, 'file'), '')
  await failsToStart(server, ['RUNTIME_DIR', 'runtime_dir', join(server.dir, 'file/run')])
})

test('a runtime_dir whose path is too long for a socket', async () => {
  const server = await Server.prepare({ settings: { runtime_dir: `./${'long'.repeat(25)}` } })
  await failsToStart(server, ['RUNTIME_DIR', 'runtime_dir', 'too long', '107'])
})

test.each(['off', 'on'])('a work_dir that is not there, daemon %s', async (daemon) => {
  const server = await Server.prepare({ settings: { work_dir: './nowhere', daemon } })
  await failsToStart(server, ['WORK_DIR', 'work_dir ./nowhere', 'ENOENT'])
})

test('a log file that cannot be written', async () => {
  const server = await Server.prepare({ settings: { srs_log_file: './file/weir.log' } })
  writeFileSync(join(server.dir, 'file'), '')
  await failsToStart(server, ['LOG_FILE', 'srs_log_file', './file/weir.log'])
})

test('a daemon that cannot start says so in front', async () => {
  const first = await startServer()
  const second = await Server.prepare({ settings: { daemon: 'on', listen: first.port } })
  await failsToStart(second, ['LISTEN', `listen ${first.port}`])
})

test('a pid file that names another program is stale, and no obstacle', async () => {
  const server = await Server.prepare()
  writeFileSync(server.pidFile, `${process.pid}\n`)
  await server.start()
  expect(server.pidInFile()).toBe(server.master.pid)
})

test('of several servers that start at once on one stale pid file, one runs', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-e2e-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const pid = join(directory, 'weir.pid')
  writeFileSync(pid, `${process.pid}\n`)
  const servers = await Promise.all(Array.from({ length: 5 }, () => Server.prepare({ settings: { pid } })))
  const starts = await Promise.allSettled(servers.map((server) => server.start()))
  const [running, ...others] = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  expect(others).toEqual([])
  expect(Number(readFileSync(pid, 'utf8'))).toBe(running!.master.pid)
  for (const server of servers.filter((one) => one !== running)) {
    const { status, stderr } = await server.master.exited
    expect(status).toBe(1)
    expect(stderr).toMatch(/^weir: PID_FILE: .* is held by a running server.*\n$/)
  }
})

/** Checks that a start ends with status 1 and one line that has all of these words, and leaves nothing behind. */
async function failsToStart(server: Server, words: readonly string[], args: string[] = []): Promise<void> {
  const { status, stdout, stderr } = await server.weir(...args)
  expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
  expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  for (const word of words) expect(stderr).toContain(word)
  server.assertNothingLeft()
}
