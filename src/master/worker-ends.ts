import type { Logger } from '../base/logger.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** A worker that was told to stop and does not end by then is killed: the whole stop, two groups, takes less than 5 s. */
const stopTimeoutMs = 2000

/** Who waits for the ends of workers. */
export class WorkerEnds {
  readonly #logger: Logger
  readonly #waiting = new Map<WorkerHandle, () => void>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  /** To be called when a worker has ended. */
  onExit(worker: WorkerHandle): void {
    this.#waiting.get(worker)?.()
    this.#waiting.delete(worker)
  }

  /** Resolves when a worker has ended. */
  of(worker: WorkerHandle): Promise<void> {
    if (worker.exited) return Promise.resolve()
    return new Promise((resolve) => {
      const others = this.#waiting.get(worker)
      this.#waiting.set(worker, () => {
        others?.()
        resolve()
      })
    })
  }

  /** Tells workers to stop, and kills those that do not. Resolves when all have ended. */
  async stop(workers: readonly WorkerHandle[]): Promise<void> {
    const gone = Promise.all(workers.map((worker) => this.of(worker)))
    for (const worker of workers) worker.leave('stop')
    const timer = setTimeout(() => {
      for (const worker of workers.filter((candidate) => !candidate.exited)) {
        const about = { worker: worker.name, workerPid: worker.pid }
        this.#logger.error(about, 'a worker did not stop and is killed')
        worker.kill()
      }
    }, stopTimeoutMs)
    await gone
    clearTimeout(timer)
  }
}
