import type { Logger } from '../base/logger.ts'
import type { ToMaster } from '../ipc/contract.ts'
import type { HookVisit } from '../ipc/hook-facts.ts'
import type { WorkerHandle } from './worker-handle.ts'

type VisitMessage = Extract<ToMaster, { t: 'visit-began' | 'visit-ended' }>

/** Of the visits whose worker is gone, so many are with other workers at once: the rest waits here. */
const maxHandedOver = 256

/**
 * What workers let in whose end other servers have to be told (`http_hooks`). A worker tells of it itself; when it died
 * first, another worker tells in its place. The master only keeps the list.
 */
export class VisitLedger {
  readonly #logger: Logger
  /** Workers that could tell in place of another. */
  readonly #candidates: () => readonly WorkerHandle[]
  readonly #open = new Map<WorkerHandle, Map<string, HookVisit>>()
  /** Of workers that are gone, with nobody yet to tell of them. */
  #orphans: HookVisit[] = []
  /** Handed over, and not told yet. */
  readonly #handedOver = new Set<string>()

  constructor(logger: Logger, candidates: () => readonly WorkerHandle[]) {
    this.#logger = logger
    this.#candidates = candidates
  }

  /** Visits whose end is not told. */
  get size(): number {
    let size = this.#orphans.length
    for (const visits of this.#open.values()) size += visits.size
    return size
  }

  onMessage(worker: WorkerHandle, message: VisitMessage): void {
    if (message.t === 'visit-began') this.#began(worker, message.visit)
    else this.#ended(worker, message.id)
  }

  #began(worker: WorkerHandle, visit: HookVisit): void {
    // Its last words may come behind the word that it is gone.
    if (!worker.exited) this.#visitsOf(worker).set(visit.id, visit)
    else {
      this.#orphans.push(visit)
      this.#handOver()
    }
  }

  #ended(worker: WorkerHandle, id: string): void {
    this.#open.get(worker)?.delete(id)
    if (this.#handedOver.delete(id)) this.#handOver()
  }

  /** A worker is ready, and can be given what nobody could be given so far. */
  onWorkerReady(): void {
    this.#handOver()
  }

  onWorkerLost(worker: WorkerHandle): void {
    // The last one first: what a client did ends before its connection does.
    const visits = [...(this.#open.get(worker)?.values() ?? [])].reverse()
    this.#open.delete(worker)
    if (visits.length === 0) return
    for (const { id } of visits) this.#handedOver.delete(id)
    this.#orphans = this.#orphans.concat(visits)
    const about = { worker: worker.name, workerPid: worker.pid, visits: visits.length }
    this.#logger.info(
      about,
      'hooks: a worker ended with things to tell; another one tells them, if there is one',
    )
    this.#handOver()
  }

  /** The server stops: says what nobody was told of. */
  close(): void {
    if (this.size > 0) {
      this.#logger.warn({ code: 'HOOK_DROPPED', left: this.size }, 'hooks: some things were told to nobody')
    }
    this.#open.clear()
    this.#orphans = []
  }

  #handOver(): void {
    const room = maxHandedOver - this.#handedOver.size
    if (room < maxHandedOver / 2 || this.#orphans.length === 0) return
    const heir = this.#candidates().find(({ ready, leaving, reachable }) => ready && !leaving && reachable)
    if (heir === undefined) return
    const visits = this.#orphans.splice(0, room)
    for (const visit of visits) {
      this.#handedOver.add(visit.id)
      this.#visitsOf(heir).set(visit.id, visit)
    }
    heir.send({ t: 'tell-visits', visits })
  }

  #visitsOf(worker: WorkerHandle): Map<string, HookVisit> {
    let visits = this.#open.get(worker)
    if (visits === undefined) {
      visits = new Map()
      this.#open.set(worker, visits)
    }
    return visits
  }
}
