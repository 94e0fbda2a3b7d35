import * as net from 'node:net'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { ServerStatus } from '../../src/master/control-contract.ts'
import { askMaster, ControlServer } from '../../src/master/control-server.ts'
import { recordingLogger } from '../support/logger.ts'
import { tempDir } from '../support/temp-dir.ts'
import { listenUnix } from '../support/unix-server.ts'

vi.mock('node:net', { spy: true })

const status: ServerStatus = {
  version: '1.2.3',
  serverId: 'abc',
  pid: 1,
  ppid: 0,
  argv: 'weir',
  cwd: '/',
  uptimeMs: 5000,
  configFile: '/etc/weir.conf',
  connections: 3,
  maxConnections: 1000,
  admittedConnections: 0,
  failedConnections: 0,
  refusedConnections: 0,
  sources: 1,
  workers: [],
  silent: [],
}

async function listening(answer: () => Promise<ServerStatus>) {
  const path = join(tempDir(), 'master.sock')
  const { logger, lines } = recordingLogger()
  const server = new ControlServer(path, logger, answer)
  await server.listen()
  onTestFinished(() => server.close())
  return { path, lines }
}

describe('the control socket', () => {
  test('answers with the status, to each who asks', async () => {
    const { path } = await listening(async () => status)
    expect(await Promise.all([askMaster(path), askMaster(path)])).toStrictEqual([status, status])
  })

  test('closes on who asks when there is no answer, and the log says why', async () => {
    const { path, lines } = await listening(async () => {
      throw new Error('no status')
    })
    await expect(askMaster(path)).rejects.toMatchObject({ code: 'NOT_RUNNING' })
    expect(lines).toMatchObject([{ level: 50, msg: 'status: no status' }])
  })

  test('that cannot be opened is an error which names it', async () => {
    const { path } = await listening(async () => status)
    const second = new ControlServer(path, recordingLogger().logger, async () => status)
    await expect(second.listen()).rejects.toMatchObject({
      code: 'RUNTIME_DIR',
      message: expect.stringContaining(path),
    })
  })
})

describe('asking', () => {
  test('nobody is an error that says so', async () => {
    const path = join(tempDir(), 'master.sock')
    await expect(askMaster(path)).rejects.toMatchObject({
      code: 'NOT_RUNNING',
      message: expect.stringContaining(path),
    })
  })

  test('somebody who hangs up is an error as well', async () => {
    const path = join(tempDir(), 'master.sock')
    await listenUnix(path, (socket) => socket.destroy())
    await expect(askMaster(path)).rejects.toMatchObject({ code: 'NOT_RUNNING' })
  })
})

test('a server that cannot accept a connection goes on, and the log says why', async () => {
  const { path, lines } = await listening(async () => status)
  const [server] = vi
    .mocked(net.createServer)
    .mock.results.slice(-1)
    .map(({ value }) => value as net.Server)
  for (let attempt = 0; attempt < 3; attempt += 1) server!.emit('error', new Error('accept EMFILE'))
  expect(lines).toMatchObject(Array(3).fill({ level: 50, msg: 'control socket: accept EMFILE' }))
  expect(await askMaster(path)).toStrictEqual(status)
})

test('who asks a master that hangs is told so', async () => {
  const path = join(tempDir(), 'master.sock')
  await listenUnix(path, () => {})
  await expect(askMaster(path, 20)).rejects.toMatchObject({
    code: 'NOT_RUNNING',
    message: `no answer on ${path} in 20 ms: the server hangs`,
  })
})
