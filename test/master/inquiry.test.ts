import { expect, test } from 'vitest'
import type { Question, WorkerRole } from '../../src/ipc/contract.ts'
import { inquire } from '../../src/master/inquiry.ts'
import type { WorkerHandle } from '../../src/master/worker-handle.ts'

const roles: WorkerRole[] = ['stream', 'stream', 'http', 'back-source', 'back-source']

/** Processes that answer with their pid, but for the last, which does not answer. */
const workers = roles.map((role, index) => {
  const pid = 100 + index
  const answer = index === 4 ? null : { of: 'kick', kicked: true }
  return { role, index, pid, ready: true, ask: async () => answer } as unknown as WorkerHandle
})

async function asked(question: Question, pids: number[] | null = null): Promise<number[]> {
  return (await inquire(workers, question, pids)).map(({ pid }) => pid)
}

test('those are asked that can know', async () => {
  expect(await asked({ ask: 'status' })).toStrictEqual([100, 101, 102, 103, 104])
  expect(await asked({ ask: 'kick', id: 'x' })).toStrictEqual([100, 101, 102])
  expect(await asked({ ask: 'streams', start: 0, count: 1 })).toStrictEqual([103, 104])
  expect(await asked({ ask: 'reload' })).toStrictEqual([])
})

test('or those that are named', async () => {
  expect(await asked({ ask: 'traffic' }, [101, 104])).toStrictEqual([101])
  expect(await asked({ ask: 'traffic' }, [])).toStrictEqual([])
})

test('who does not answer is in the report without an answer', async () => {
  const report = await inquire(workers, { ask: 'status' }, [103, 104])
  expect(report).toStrictEqual([
    { role: 'back-source', index: 3, pid: 103, ready: true, answer: { of: 'kick', kicked: true } },
    { role: 'back-source', index: 4, pid: 104, ready: true, answer: null },
  ])
})

test('who had not booted when asked was starting, though it has booted before the others have answered', async () => {
  let slow!: (answer: unknown) => void
  const answer = new Promise((resolve) => (slow = resolve))
  const booting = { role: 'back-source', index: 0, pid: 1, ready: false, ask: async () => null }
  const other = { role: 'stream', index: 0, pid: 2, ready: true, ask: () => answer }
  const report = inquire([booting, other] as unknown as WorkerHandle[], { ask: 'status' }, null)
  booting.ready = true
  slow({ of: 'status' })
  expect((await report).map(({ pid, ready }) => [pid, ready])).toStrictEqual([
    [1, false],
    [2, true],
  ])
})
