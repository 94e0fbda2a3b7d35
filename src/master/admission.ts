import type { WorkerHandle } from './worker-handle.ts'

/**
 * Counts the connections of all workers against `max_connections`. Workers ask for each connection while its
 * handshake goes on; the answer is there before the client has said what it wants.
 */
export class Admission {
  readonly #admitted = new Map<WorkerHandle, Set<string>>()
  max: number
  #total = 0
  refused = 0

  constructor(max: number) {
    this.max = max
  }

  get total(): number {
    return this.#total
  }

  admit(worker: WorkerHandle, connectionId: string): boolean {
    if (this.#total >= this.max) {
      this.refused += 1
      return false
    }
    let admitted = this.#admitted.get(worker)
    if (admitted === undefined) {
      admitted = new Set()
      this.#admitted.set(worker, admitted)
    }
    if (!admitted.has(connectionId)) {
      admitted.add(connectionId)
      this.#total += 1
    }
    return true
  }

  /** A connection is gone. One that was refused leaves too, and counts for nothing. */
  left(worker: WorkerHandle, connectionId: string): void {
    if (this.#admitted.get(worker)?.delete(connectionId)) this.#total -= 1
  }

  onWorkerLost(worker: WorkerHandle): void {
    this.#total -= this.#admitted.get(worker)?.size ?? 0
    this.#admitted.delete(worker)
  }
}
