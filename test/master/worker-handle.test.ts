import * as childProcess from 'node:child_process'
import { expect, test, vi } from 'vitest'
import { WorkerHandle, type WorkerListener } from '../../src/master/worker-handle.ts'
import { configOf } from '../support/config.ts'

vi.mock('node:child_process', { spy: true })

test('a process that the system cannot start is one that ended at boot', async () => {
  vi.mocked(childProcess.spawn).mockImplementationOnce(() => {
    throw new Error('spawn ENOMEM')
  })
  const listener = {
    onReady: vi.fn<WorkerListener['onReady']>(),
    onMessage: vi.fn<WorkerListener['onMessage']>(),
    onExit: vi.fn<WorkerListener['onExit']>(),
  }
  const config = configOf()
  const init = { index: 3, socketPath: '/run/s3.sock', serverId: 'x', ownToken: 'y', config, log: config.log }
  const worker = new WorkerHandle('stream', init, listener)
  worker.start()
  expect(worker.exited).toBe(false)
  expect(listener.onExit).not.toHaveBeenCalled()
  await vi.waitFor(() => expect(listener.onExit).toHaveBeenCalledTimes(1))
  const [who, error] = listener.onExit.mock.calls[0]!
  expect(who).toBe(worker)
  expect(error).toMatchObject({
    code: 'WORKER_BOOT',
    message: expect.stringMatching(/^stream 3.*spawn ENOMEM$/),
  })
  expect([worker.exited, worker.reachable, worker.pid]).toStrictEqual([true, false, 0])
  worker.leave('stop')
  worker.kill()
  expect(await worker.status()).toBeNull()
})

test('a process that was not started ends when it is told to, and is never started', async () => {
  const listener = { onReady: vi.fn(), onMessage: vi.fn(), onExit: vi.fn<WorkerListener['onExit']>() }
  const config = configOf()
  const init = { index: 3, socketPath: '/run/s3.sock', serverId: 'x', ownToken: 'y', config, log: config.log }
  vi.mocked(childProcess.spawn).mockClear()
  const [left, killed] = [0, 1].map(() => new WorkerHandle('back-source', init, listener))
  expect([left!.pid, left!.ready, left!.reachable, left!.exited]).toStrictEqual([0, false, false, false])
  left!.leave('stop')
  // Its turn may come before its end is known.
  left!.start()
  killed!.kill()
  await vi.waitFor(() => expect(listener.onExit).toHaveBeenCalledTimes(2))
  left!.start()
  killed!.start()
  expect(childProcess.spawn).not.toHaveBeenCalled()
  expect([left!.exited, killed!.exited]).toStrictEqual([true, true])
})
