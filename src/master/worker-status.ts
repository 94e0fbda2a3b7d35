import type { ServerStatus } from './control-contract.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** What processes tell of themselves, and which of them do not answer. */
export async function statusOf(
  workers: readonly WorkerHandle[],
): Promise<Pick<ServerStatus, 'workers' | 'silent'>> {
  const asked = workers.map(async (worker) => {
    const { role, index, pid, ready } = worker
    const answer = await worker.status()
    return { worker, answer, silent: { role, index, pid, state: ready ? 'no answer' : 'starting' } as const }
  })
  const answered = await Promise.all(asked)
  return {
    workers: answered.map(({ answer }) => answer).filter((answer) => answer !== null),
    silent: answered
      .filter(({ worker, answer }) => answer === null && !worker.exited)
      .map(({ silent }) => silent),
  }
}
