import { canConnect } from '../base/can-connect.ts'
import { monotonicMs } from '../base/clock.ts'
import type { Logger } from '../base/logger.ts'
import type { UpstreamOrder } from './upstreams.ts'

/** Between two looks whether a dead server is there again, and how long one may take, in milliseconds. */
const probeMs = 3000

/** A server that nobody has asked for so long is not looked for any more, in milliseconds. */
const forgetMs = 10 * 60_000

/** A server that could not be connected to. */
interface Dead {
  timer: NodeJS.Timeout
  /** Ends the look that is under way. */
  readonly forgotten: AbortController
  wantedAtMs: number
}

/**
 * Which other servers are there. A back-source that could not connect to one says so; from then on that one comes last, and
 * a TCP connection is tried every few seconds, until it succeeds. So a new stream does not pay for a dead server again.
 * Those that live take turns.
 */
export class OriginHealth implements UpstreamOrder {
  readonly #logger: Logger
  readonly #probeMs: number
  readonly #dead = new Map<string, Dead>()
  #turn = 0
  #closed = false

  /** @param intervalMs between two looks */
  constructor(logger: Logger, intervalMs = probeMs) {
    this.#logger = logger
    this.#probeMs = intervalMs
  }

  /** The addresses as they are to be tried: those that live, the next one's turn first, then the dead. */
  order(addresses: readonly string[]): readonly string[] {
    const [alive, dead] = [
      addresses.filter((address) => !this.#dead.has(address)),
      addresses.filter((address) => this.#dead.has(address)),
    ]
    for (const address of dead) this.#dead.get(address)!.wantedAtMs = monotonicMs()
    if (alive.length === 0) return dead
    const first = this.#turn % alive.length
    this.#turn += 1
    return [...alive.slice(first), ...alive.slice(0, first), ...dead]
  }

  /** @param ok whether a connection to that server was made */
  onReport(address: string, ok: boolean): void {
    if (this.#closed) return
    if (ok) this.#revive(address)
    else if (!this.#dead.has(address)) {
      this.#logger.warn({ address }, 'an upstream server does not answer: others are tried first')
      const [timer, forgotten] = [this.#probeLater(address), new AbortController()]
      this.#dead.set(address, { timer, forgotten, wantedAtMs: monotonicMs() })
    }
  }

  close(): void {
    this.#closed = true
    for (const address of [...this.#dead.keys()]) this.#forget(address)
  }

  #probeLater(address: string): NodeJS.Timeout {
    return setTimeout(() => void this.#probe(address), this.#probeMs)
  }

  async #probe(address: string): Promise<void> {
    const dead = this.#dead.get(address)
    if (dead === undefined) return
    if (monotonicMs() - dead.wantedAtMs > forgetMs) {
      this.#forget(address)
      return
    }
    const isThere = await canConnect(address, this.#probeMs, dead.forgotten.signal)
    if (this.#dead.get(address) !== dead) return
    if (isThere) this.#revive(address)
    else dead.timer = this.#probeLater(address)
  }

  #revive(address: string): void {
    if (this.#forget(address)) this.#logger.info({ address }, 'an upstream server answers again')
  }

  /** @returns whether it was dead */
  #forget(address: string): boolean {
    const dead = this.#dead.get(address)
    if (dead === undefined) return false
    clearTimeout(dead.timer)
    this.#dead.delete(address)
    dead.forgotten.abort()
    return true
  }
}
