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
