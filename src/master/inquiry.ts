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
  programs: sourceRoles,
  streams: sourceRoles,
  stream: sourceRoles,
  unpublish: [],
  reload: [],
  cluster: [],
}

/**
 * Asks processes for the API.
 * @param pids those that are asked; null: all that can know
 * @param onAnswer hears each answer as it comes
 * @returns an answer of each, in the order of the workers; none of those that have ended meanwhile
 */
export async function inquire(
  workers: readonly WorkerHandle[],
  question: Question,
  pids: readonly number[] | null,
  onAnswer?: (worker: WorkerHandle, answer: EncodedAnswer) => void,
): Promise<WorkerAnswer<EncodedAnswer>[]> {
  const roles = rolesAsked[question.ask]
  const asked = workers.filter(
    ({ role, pid }) => roles.includes(role) && (pids === null || pids.includes(pid)),
  )
  const answers = await Promise.all(
    asked.map(async (worker) => {
      // As it was when asked: one that boots is asked nothing, and may have booted before the others have answered.
      const { role, index, pid, ready } = worker
      const answer = await worker.ask(question)
      if (answer !== null) onAnswer?.(worker, answer)
      return { role, index, pid, ready, answer }
    }),
  )
  return answers.map((told, at) => (asked[at]!.exited ? { ...told, answer: null } : told))
}
