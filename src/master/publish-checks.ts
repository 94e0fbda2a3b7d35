import type { PublishId } from '../ipc/contract.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** How long a worker may take to answer, in milliseconds: longer than its event loop is ever busy at a stretch. */
const timeoutMs = 500

interface Question {
  readonly worker: WorkerHandle
  readonly timer: NodeJS.Timeout
  readonly onAnswer: (alive: boolean) => void
}

/**
 * Asks stream workers whether a publish is still alive. An encoder that reconnects is often faster than the word
 * that its old connection is gone, above all when another worker took the new one.
 */
export class PublishChecks {
  readonly #questions = new Map<number, Question>()
  #nextRequest = 1

  /**
   * Asks the worker that holds a publish.
   * @param onAnswer called once. A worker that does not answer in time is busy, and its publish counts as alive;
   *   one that can no longer answer takes its publish with it.
   * @returns what to call when the answer is wanted no more
   */
  ask(worker: WorkerHandle, publishId: PublishId, onAnswer: (alive: boolean) => void): () => void {
    const request = this.#nextRequest
    this.#nextRequest += 1
    const timer = setTimeout(() => this.#answer(request, worker.reachable), timeoutMs)
    this.#questions.set(request, { worker, timer, onAnswer })
    worker.send({ t: 'check-publish', request, publishId })
    return () => this.#take(request)
  }

  /** A worker has answered. */
  answered(worker: WorkerHandle, request: number, alive: boolean): void {
    if (this.#questions.get(request)?.worker === worker) this.#answer(request, alive)
  }

  #answer(request: number, alive: boolean): void {
    this.#take(request)?.onAnswer(alive)
  }

  #take(request: number): Question | undefined {
    const question = this.#questions.get(request)
    this.#questions.delete(request)
    clearTimeout(question?.timer)
    return question
  }
}
