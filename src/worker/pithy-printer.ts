/** A client that can write a line about what it does. */
export interface Summarised {
  readonly id: string
  readonly role: 'publish' | 'play' | null
  logSummary(): void
}

/** The calls are about this far apart, in milliseconds. */
const sloppyMs = 1000

/**
 * The periodic summary lines of clients, at a constant total rate: one publisher and one player in each
 * interval (`pithy_print_ms`), in turn, however many there are.
 */
export class PithyPrinter {
  intervalMs: number
  /** From when on the interval counts. */
  #dueAfterMs = 0
  readonly #lastPrinted: Record<'publish' | 'play', string> = { publish: '', play: '' }

  constructor(intervalMs: number) {
    this.intervalMs = intervalMs
  }

  /** To be called about once a second. */
  print(nowMs: number, connections: ReadonlyMap<string, Summarised>): void {
    const lateMs = nowMs - this.#dueAfterMs - this.intervalMs
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
