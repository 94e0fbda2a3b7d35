import { codeOf, messageOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Config } from '../config/config.ts'
import { vhostOf } from '../config/vhost-of.ts'
import type { StreamId } from '../ipc/contract.ts'
import { displayName, vhostOfStream } from '../live/stream-key.ts'
import type { SourceEntry } from './source-entry.ts'
import type { Upstreams } from './upstreams.ts'
import type { Watchers } from './watchers.ts'

/** Streams that are remembered as absent at most: beyond, the oldest are forgotten. */
const maxAbsent = 10_000

/** What the pulls need of the table of streams. */
export interface PullTable {
  readonly config: Config
  readonly sources: ReadonlyMap<StreamId, SourceEntry>
  /**
   * Has a stream pulled that nobody publishes here.
   * @returns false if there is no room for it
   */
  pull(stream: StreamId, upstreams: readonly string[]): boolean
  closeSource(entry: SourceEntry): void
}

/**
 * Streams that other servers have: which of those that workers want are pulled, from where, and until when. A stream that
 * was not there is remembered for `absent_cache`, so that a crowd that asks for it costs one attempt at a time.
 */
export class Pulls {
  readonly #upstreams: Upstreams
  readonly #watchers: Watchers
  readonly #table: PullTable
  readonly #logger: Logger
  /** Streams whose upstreams are being looked for. */
  readonly #asking = new Set<StreamId>()
  readonly #absent = new Map<StreamId, NodeJS.Timeout>()
  #closed = false

  constructor(upstreams: Upstreams, watchers: Watchers, table: PullTable, logger: Logger) {
    this.#upstreams = upstreams
    this.#watchers = watchers
    this.#table = table
    this.#logger = logger
  }

  /** Somebody wants a stream that has no source, or one whose publisher has left. */
  want(stream: StreamId): void {
    if (this.#absent.has(stream)) this.#tellAbsent(stream)
    else if (!this.#asking.has(stream)) void this.#ask(stream)
  }

  /** Somebody wants a stream that has a source. */
  keep(entry: SourceEntry): void {
    if (!isPulled(entry) || entry.lingerTimer === null) return
    clearTimeout(entry.lingerTimer)
    entry.lingerTimer = null
  }

  /** Nobody wants a stream any more. */
  letGo(entry: SourceEntry): void {
    if (!isPulled(entry) || entry.lingerTimer !== null) return
    // Of what has not come yet there is nothing to keep.
    const lingerMs = entry.open ? (this.#clusterOf(entry.stream)?.pullLinger ?? 0) * 1000 : 0
    entry.lingerTimer = setTimeout(() => this.#table.closeSource(entry), lingerMs)
  }

  /** The servers do not have a stream, or not any more. It is looked for again when somebody waits for it even then. */
  ended(entry: SourceEntry): void {
    const { stream } = entry
    this.#remember(stream)
    this.#table.closeSource(entry)
    this.#tellAbsent(stream)
  }

  /** The configuration is another one: pulls go on where it says, or end. */
  reload(): void {
    for (const stream of [...this.#absent.keys()]) this.#forget(stream)
    for (const stream of this.#watchers.streams) void this.#ask(stream)
  }

  /**
   * A stream may be on another server now: who waits for it gets it, and one that is pulled comes from there. Nothing ends
   * because it is nowhere at the moment. Null: that may be so of all streams.
   */
  lookAgain(stream: StreamId | null): void {
    for (const one of stream === null ? this.#watchers.streams : [stream]) {
      if (!this.#watchers.has(one) || this.#table.sources.get(one)?.publisher) continue
      this.#forget(one)
      void this.#ask(one, true)
    }
  }

  close(): void {
    this.#closed = true
    for (const timer of this.#absent.values()) clearTimeout(timer)
  }

  /** @param keeps whether a pull goes on, even if no server has the stream now */
  async #ask(stream: StreamId, keeps = false): Promise<void> {
    this.#asking.add(stream)
    let upstreams: readonly string[] | null = null
    try {
      upstreams = await this.#upstreams.pullFor(stream)
    } catch (error) {
      const about = { code: codeOf(error), stream: displayName(stream) }
      this.#logger.error(about, `pull: it cannot be told where a stream is: ${messageOf(error)}`)
      this.#remember(stream)
    }
    this.#asking.delete(stream)
    if (!this.#closed && this.#watchers.has(stream)) this.#take(stream, upstreams ?? [], keeps)
  }

  #take(stream: StreamId, upstreams: readonly string[], keeps: boolean): void {
    const entry = this.#table.sources.get(stream)
    if (entry !== undefined && entry.publisher !== null) return
    if (upstreams.length > 0) {
      if (this.#table.pull(stream, upstreams)) return
      this.#remember(stream)
    } else if (entry !== undefined && isPulled(entry)) {
      if (keeps) return
      this.#table.closeSource(entry)
    }
    this.#tellAbsent(stream)
  }

  #remember(stream: StreamId): void {
    this.#forget(stream)
    const [oldest] = this.#absent.keys()
    if (oldest !== undefined && this.#absent.size >= maxAbsent) this.#forget(oldest)
    const ms = (this.#clusterOf(stream)?.absentCache ?? 0) * 1000
    const timer = setTimeout(() => {
      this.#absent.delete(stream)
      const entry = this.#table.sources.get(stream)
      const isTaken = entry !== undefined && (entry.publisher !== null || entry.pull !== null)
      if (this.#watchers.has(stream) && !isTaken) this.want(stream)
    }, ms)
    this.#absent.set(stream, timer)
  }

  #forget(stream: StreamId): void {
    clearTimeout(this.#absent.get(stream))
    this.#absent.delete(stream)
  }

  /** A source that waits for a publisher is worth waiting for. */
  #tellAbsent(stream: StreamId): void {
    if (this.#table.sources.get(stream) === undefined) this.#watchers.tellAbsent(stream)
  }

  #clusterOf(stream: StreamId) {
    return vhostOf(this.#table.config, vhostOfStream(stream))?.cluster
  }
}

/** Whether a source has its media from another server at the moment. */
function isPulled({ pull, publisher }: SourceEntry): boolean {
  return pull !== null && publisher === null
}
