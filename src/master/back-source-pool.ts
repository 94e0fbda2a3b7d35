import { BackOff } from '../base/back-off.ts'
import { monotonicMs } from '../base/clock.ts'
import { codeOf, type WeirError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { maxWaitMs, StartQueue } from './start-queue.ts'
import type { WorkerHandle, WorkerListener, WorkMessage } from './worker-handle.ts'

/** A process that was told to stop and has not ended by then is killed, in milliseconds. */
const endTimeoutMs = 10_000

/** A back-source and how many streams it holds. */
export interface BackSource {
  readonly worker: WorkerHandle
  streams: number
}

/** How many processes there may be. */
export interface PoolLimits {
  /** `max_processes`: beyond it streams share processes. */
  readonly maxProcesses: number
  /** `spare_processes`: kept forked and empty, so that a publish never waits for a process start. */
  readonly spares: number
}

/** What the pool's owner hears. */
export interface PoolListener {
  onMessage(backSource: BackSource, message: WorkMessage): void
  /**
   * The process is gone or going, and with it what its streams had cached. They may move after `waitMs`
   * milliseconds: a stream that crashes every process must not do so in a tight loop.
   */
  onLost(backSource: BackSource, waitMs: number): void
}

const isEmpty = ({ streams }: BackSource): boolean => streams === 0

const least = (members: readonly BackSource[]): BackSource =>
  members.reduce((fewest, other) => (other.streams < fewest.streams ? other : fewest))

/** The back-source processes: a warm spare, one per stream, shared above the limit. */
export class BackSourcePool implements WorkerListener {
  readonly #spawn: (listener: WorkerListener) => WorkerHandle
  readonly #listener: PoolListener
  readonly #logger: Logger
  readonly #members = new Map<WorkerHandle, BackSource>()
  readonly #startedAtMs = new Map<WorkerHandle, number>()
  /** Of those that were told to stop. */
  readonly #endTimers = new Map<WorkerHandle, NodeJS.Timeout>()
  readonly #backOff = new BackOff()
  readonly #starts: StartQueue<WorkerHandle>
  #limits: PoolLimits
  #refillTimer: NodeJS.Timeout | null = null
  #closed = false

  /**
   * @param spawn makes a process that is not started yet
   * @param startsAtOnce how many may boot at the same time
   */
  constructor(
    spawn: (listener: WorkerListener) => WorkerHandle,
    limits: PoolLimits,
    logger: Logger,
    listener: PoolListener,
    startsAtOnce: number,
  ) {
    this.#spawn = spawn
    this.#starts = new StartQueue(startsAtOnce, (worker, isFirst) => this.#onLate(worker, isFirst))
    this.#limits = limits
    this.#logger = logger
    this.#listener = listener
  }

  set limits(limits: PoolLimits) {
    this.#limits = limits
    this.refill()
  }

  get workers(): WorkerHandle[] {
    return [...this.#members.keys()]
  }

  /**
   * A process for one more stream: an empty one, a new one, or, at the limit, the one with the fewest streams. While boots are
   * late it is one that has booted.
   */
  acquire(): BackSource {
    const available = [...this.#members.values()].filter(({ worker }) => !worker.leaving)
    const [empty, taken] = [available.filter(isEmpty), available.filter((member) => !isEmpty(member))]
    const booted = this.#starts.isLate ? available.filter(({ worker }) => worker.ready) : []
    let chosen: BackSource
    if (booted.length > 0) chosen = least(booted)
    else if (taken.length >= this.#limits.maxProcesses) chosen = least(taken)
    else chosen = empty.find(({ worker }) => worker.ready) ?? empty[0] ?? this.#add()
    chosen.streams += 1
    if (!chosen.worker.ready) this.#starts.start(chosen.worker)
    this.refill()
    return chosen
  }

  /** A stream left its process; a process without streams ends, and its memory with it. */
  release(backSource: BackSource): void {
    backSource.streams -= 1
    if (backSource.streams === 0 && !backSource.worker.exited) this.#end(backSource.worker)
  }

  /** Starts spares up to the number wanted. */
  refill(): void {
    if (this.#closed || this.#refillTimer !== null) return
    const members = [...this.#members.values()].filter(({ worker }) => !worker.leaving)
    const taken = members.filter(({ streams }) => streams > 0).length
    const wanted = Math.min(this.#limits.spares, this.#limits.maxProcesses - taken)
    for (let spares = members.length - taken; spares < wanted; spares += 1)
      this.#starts.startLater(this.#add().worker)
  }

  /** Starts nothing more; the processes themselves are the owner's to end. */
  close(): void {
    this.#closed = true
    if (this.#refillTimer !== null) clearTimeout(this.#refillTimer)
    for (const timer of this.#endTimers.values()) clearTimeout(timer)
    this.#starts.close()
  }

  onReady(worker: WorkerHandle): void {
    this.#starts.settled(worker)
  }

  onMessage(worker: WorkerHandle, message: WorkMessage): void {
    const member = this.#members.get(worker)
    if (member === undefined) return
    if (message.t === 'draining') {
      worker.leave('drain')
      this.refill()
      this.#listener.onLost(member, 0)
    } else this.#listener.onMessage(member, message)
  }

  onExit(worker: WorkerHandle, error: WeirError): void {
    const member = this.#members.get(worker)
    if (member === undefined) return
    this.#starts.settled(worker)
    this.#members.delete(worker)
    clearTimeout(this.#endTimers.get(worker))
    this.#endTimers.delete(worker)
    const livedMs = monotonicMs() - (this.#startedAtMs.get(worker) ?? 0)
    this.#startedAtMs.delete(worker)
    if (this.#closed) return
    let waitMs = 0
    if (!worker.leaving) {
      waitMs = this.#backOff.next(livedMs)
      this.#logger.error(
        { code: codeOf(error), reason: error.message, streams: member.streams, waitMs },
        'a back-source died',
      )
      if (waitMs > 0) this.#refillLater(waitMs)
    }
    if (member.streams > 0) this.#listener.onLost(member, waitMs)
    this.refill()
  }

  /** It was not started in time: its streams move to what has booted. */
  #onLate(worker: WorkerHandle, isFirst: boolean): void {
    if (isFirst) {
      const about = { processes: this.#members.size, waitMs: maxWaitMs }
      this.#logger.warn(about, 'back-sources boot too slowly for all streams that begin: streams share some')
    }
    worker.leave('stop')
  }

  /** A process that hangs would stay for ever, and nobody would miss it. */
  #end(worker: WorkerHandle): void {
    worker.leave('stop')
    const timer = setTimeout(() => {
      const about = { worker: worker.name, workerPid: worker.pid }
      this.#logger.error(about, 'a back-source did not stop and is killed')
      worker.kill()
    }, endTimeoutMs)
    this.#endTimers.set(worker, timer)
  }

  #refillLater(waitMs: number): void {
    this.#refillTimer ??= setTimeout(() => {
      this.#refillTimer = null
      this.refill()
    }, waitMs)
  }

  #add(): BackSource {
    const worker = this.#spawn(this)
    const member: BackSource = { worker, streams: 0 }
    this.#members.set(worker, member)
    this.#startedAtMs.set(worker, monotonicMs())
    return member
  }
}
