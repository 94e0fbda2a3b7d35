import { BackOff } from '../base/back-off.ts'
import { monotonicMs } from '../base/clock.ts'
import { codeOf, type WeirError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { WorkerHandle, WorkerListener, WorkMessage } from './worker-handle.ts'

/** What the group's owner hears. */
export interface WorkerGroupListener {
  onMessage(worker: WorkerHandle, message: WorkMessage): void
  onLost(worker: WorkerHandle): void
}

/** One place in the group: the worker that fills it, and its history of crashes. */
interface Slot {
  readonly index: number
  readonly backOff: BackOff
  worker: WorkerHandle | null
  startedAtMs: number
  timer: NodeJS.Timeout | null
}

/** The workers 1 to N of a role that serves clients: each is replaced when it ends by itself. */
export class WorkerGroup implements WorkerListener {
  readonly #spawn: (index: number, listener: WorkerListener) => WorkerHandle
  readonly #listener: WorkerGroupListener
  readonly #logger: Logger
  readonly #slots: Slot[] = []
  /** Workers that were replaced and still serve their last clients. */
  readonly #draining = new Set<WorkerHandle>()
  /** Workers that were asked to drain, by the replacement that they wait for. */
  readonly #replaces = new Map<WorkerHandle, WorkerHandle>()
  #boot: { resolve: (endpoints: string[]) => void; reject: (error: WeirError) => void } | null = null
  #closed = false

  constructor(
    spawn: (index: number, listener: WorkerListener) => WorkerHandle,
    logger: Logger,
    listener: WorkerGroupListener,
  ) {
    this.#spawn = spawn
    this.#logger = logger
    this.#listener = listener
  }

  /**
   * Starts the workers; a group may have none.
   * @returns the addresses they listen on, when all are ready
   * @throws WeirError when one cannot start: then the server cannot
   */
  start(size: number): Promise<string[]> {
    if (size === 0) return Promise.resolve([])
    return new Promise((resolve, reject) => {
      this.#boot = { resolve, reject }
      this.resize(size)
    })
  }

  get workers(): WorkerHandle[] {
    const filled = this.#slots.map(({ worker }) => worker).filter((worker) => worker !== null)
    return [...filled, ...this.#draining]
  }

  /** Adds workers, or lets the last ones drain. */
  resize(size: number): void {
    if (this.#closed) return
    while (this.#slots.length < size) {
      const slot: Slot = {
        index: this.#slots.length + 1,
        backOff: new BackOff(),
        worker: null,
        startedAtMs: 0,
        timer: null,
      }
      this.#slots.push(slot)
      this.#fill(slot)
    }
    for (const slot of this.#slots.splice(size)) {
      if (slot.timer !== null) clearTimeout(slot.timer)
      if (slot.worker === null) continue
      this.#draining.add(slot.worker)
      slot.worker.leave('drain')
    }
  }

  /** Replaces nothing any more; the processes themselves are the owner's to end. */
  close(): void {
    this.#closed = true
    for (const { timer } of this.#slots) if (timer !== null) clearTimeout(timer)
  }

  onReady(worker: WorkerHandle, endpoints: string[]): void {
    this.#logger.info({ worker: worker.name, workerPid: worker.pid, listen: endpoints }, 'worker is ready')
    this.#letGo(worker)
    if (this.#boot === null || !this.#slots.every((slot) => slot.worker?.ready)) return
    this.#boot.resolve(endpoints)
    this.#boot = null
  }

  onMessage(worker: WorkerHandle, message: WorkMessage): void {
    if (message.t !== 'draining') {
      this.#listener.onMessage(worker, message)
      return
    }
    // It was signalled twice.
    if (this.#draining.has(worker)) return
    const slot = this.#slots.find((candidate) => candidate.worker === worker)
    if (slot === undefined || this.#closed) {
      worker.leave('drain')
      return
    }
    this.#draining.add(worker)
    worker.leaving = true
    this.#fill(slot)
    if (slot.worker !== null) this.#replaces.set(slot.worker, worker)
  }

  onExit(worker: WorkerHandle, error: WeirError): void {
    this.#draining.delete(worker)
    this.#letGo(worker)
    this.#listener.onLost(worker)
    const slot = this.#slots.find((candidate) => candidate.worker === worker)
    if (slot === undefined || this.#closed) return
    slot.worker = null
    if (this.#boot !== null) {
      this.#closed = true
      this.#boot.reject(error)
      return
    }
    const waitMs = slot.backOff.next(monotonicMs() - slot.startedAtMs)
    this.#logger.error(
      { worker: worker.name, code: codeOf(error), reason: error.message, waitMs },
      'a worker died and is replaced',
    )
    slot.timer = setTimeout(() => this.#fill(slot), waitMs)
  }

  /** The worker that this one replaces drains now: its replacement listens, or did not come to it. */
  #letGo(replacement: WorkerHandle): void {
    this.#replaces.get(replacement)?.leave('drain')
    this.#replaces.delete(replacement)
  }

  #fill(slot: Slot): void {
    slot.timer = null
    slot.startedAtMs = monotonicMs()
    slot.worker = this.#spawn(slot.index, this)
    slot.worker.start()
  }
}
