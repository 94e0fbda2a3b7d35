/** A client that can write a line about what it does. */
export interface Summarised {
  readonly id: string
  readonly role: 'publish' | 'play' | null
  logSummary(): void
}

/** The calls are about this far apart, in milliseconds. */
const sloppyMs = 1000

/** Whose turn it is: workers of one kind print one after the other. */
export interface PithyTurn {
  /** `pithy_print_ms` */
  readonly pithyMs: number
  /** Of this worker, from 1 on. */
  readonly index: number
  readonly workers: number
}

/**
 * The periodic summary lines of clients, at a constant total rate: one publisher and one player in each
 * interval (`pithy_print_ms`), in turn, however many there are, and however many workers have them.
 */
export class PithyPrinter {
  #intervalMs: number
  /** From when on the interval counts. */
  #dueAfterMs: number
  readonly #lastPrinted: Record<'publish' | 'play', string> = { publish: '', play: '' }

  /** @param nowMs by the clock of {@link print} */
  constructor({ pithyMs, index, workers }: PithyTurn, nowMs: number) {
    this.#intervalMs = pithyMs * workers
    this.#dueAfterMs = nowMs + (index - workers) * pithyMs
  }

  /** Another interval, or another number of workers. */
  set turn({ pithyMs, workers }: PithyTurn) {
    this.#intervalMs = pithyMs * workers
  }

  /** To be called about once a second. */
  print(nowMs: number, connections: ReadonlyMap<string, Summarised>): void {
    const lateMs = nowMs - this.#dueAfterMs - this.#intervalMs
    if (lateMs < 0) return
    // The calls are a little more than a second apart: counted from them, an interval of 2 s would be one of 3 s.
    this.#dueAfterMs = lateMs < sloppyMs ? nowMs - lateMs : nowMs
    this.#printNext('publish', connections)
    this.#printNext('play', connections)
  }

  /** Takes the connection behind the one printed last, in the order of their arrival; at the end, the first. */
  #printNext(role: 'publish' | 'play', connections: ReadonlyMap<string, Summarised>): void {
    const candidates = [...connections.values()].filter((connection) => connection.role === role)
    const last = candidates.findIndex(({ id }) => id === this.#lastPrinted[role])
    const next = candidates[last + 1] ?? candidates[0]
    if (next === undefined) return
    this.#lastPrinted[role] = next.id
    next.logSummary()
  }
}
