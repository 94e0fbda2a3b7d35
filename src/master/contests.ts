import type { Logger } from '../base/logger.ts'
import { displayName } from '../live/stream-key.ts'
import { PublishChecks } from './publish-checks.ts'
import type { PublisherEntry, SourceEntry, Wish } from './source-entry.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** What contests need of the table of streams. */
export interface ContestTable {
  /** Who held the stream is gone. */
  onHolderGone(entry: SourceEntry): void
  /** Nothing more is to be learned: a wish that waited has its turn, if it is still one. */
  onTurn(wish: Wish): void
}

/** Publishes of a stream whose publisher may be gone: they wait while the worker of that one is asked. */
export class Contests {
  readonly #checks = new PublishChecks()
  readonly #table: ContestTable
  readonly #logger: Logger

  constructor(table: ContestTable, logger: Logger) {
    this.#table = table
    this.#logger = logger
  }

  /** A worker has answered whether a publish is still alive. */
  answered(worker: WorkerHandle, request: number, alive: boolean): void {
    this.#checks.answered(worker, request, alive)
  }

  /**
   * Has a publish wait for what is learned about who holds its stream.
   * @returns false: that one is gone, nobody is in its way
   */
  join(wish: Wish, entry: SourceEntry, holder: PublisherEntry): boolean {
    const onGone = (): void => {
      const { connectionId: cid } = wish.message
      const about = { stream: displayName(entry.stream), cid, sid: holder.connectionId }
      this.#logger.info(about, 'publish: the connection that held the stream is gone')
      this.#table.onHolderGone(entry)
    }
    if (entry.contest === null) {
      if (!holder.worker.reachable) {
        onGone()
        return false
      }
      const onAnswer = (alive: boolean): void => (alive ? this.end(entry) : onGone())
      entry.contest = { wishes: [], cancel: this.#checks.ask(holder.worker, holder.publishId, onAnswer) }
    }
    entry.contest.wishes.push(wish)
    return true
  }

  /** Nothing more is to be learned about who held the stream: those who waited for it have their turn. */
  end(entry: SourceEntry): void {
    const { contest } = entry
    if (contest === null) return
    entry.contest = null
    contest.cancel()
    for (const wish of contest.wishes) this.#table.onTurn(wish)
  }
}
