import type { EncodedAnswer, Question, WorkerAnswer, WorkerRole } from '../ipc/contract.ts'
import type { WorkerHandle } from './worker-handle.ts'

const clientRoles: readonly WorkerRole[] = ['stream', 'http']
const sourceRoles: readonly WorkerRole[] = ['back-source']

/** Who can know; the others are not woken up. */
const rolesAsked: Record<Question['ask'], readonly WorkerRole[]> = {
  status: [...clientRoles, ...sourceRoles],
  hooks: [...clientRoles, ...sourceRoles],
  usage: [...clientRoles, ...sourceRoles],
  clients: clientRoles,
  client: clientRoles,
  kick: clientRoles,
  audience: clientRoles,
  traffic: clientRoles,
  streams: sourceRoles,
  stream: sourceRoles,
  unpublish: [],
  reload: [],
}

/**
 * Asks processes for the API.
 * @param pids those that are asked; null: all that can know
 * @returns an answer of each, in the order of the workers
 */
export function inquire(
  workers: readonly WorkerHandle[],
  question: Question,
  pids: readonly number[] | null,
): Promise<WorkerAnswer<EncodedAnswer>[]> {
  const roles = rolesAsked[question.ask]
  const asked = workers.filter(
    ({ role, pid }) => roles.includes(role) && (pids === null || pids.includes(pid)),
  )
  return Promise.all(
    asked.map(async (worker) => {
      const { role, index, pid, ready } = worker
      return { role, index, pid, ready, answer: await worker.ask(question) }
    }),
  )
}
