import type { Logger } from '../../base/logger.ts'

/** A server that nobody wants any more is forgotten after this time, in milliseconds. */
const forgetMs = 60_000

interface DeadServer {
  wantedAtMs: number
  isProbed: boolean
}

/**
 * Which servers answer. One that fails is not asked until it is heard of again, so that only one request waits for
 * its time-out; it is probed meanwhile, about once a second, as long as somebody would ask it.
 */
export class UpstreamHealth {
  readonly #logger: Logger
  readonly #probe: (base: string) => Promise<boolean>
  readonly #dead = new Map<string, DeadServer>()

  /** @param probe whether a server answers */
  constructor(logger: Logger, probe: (base: string) => Promise<boolean>) {
    this.#logger = logger
    this.#probe = probe
  }

  /**
   * The servers to ask, in this order.
   * @param preferred the one that answered before
   */
  order(bases: readonly string[], preferred: string | null, nowMs: number): string[] {
    for (const base of bases) {
      const server = this.#dead.get(base)
      if (server !== undefined) server.wantedAtMs = nowMs
    }
    const alive = bases.filter((base) => !this.#dead.has(base))
    return alive.toSorted((a, b) => Number(b === preferred) - Number(a === preferred))
  }

  /** A server did not answer. */
  fail(base: string, reason: string, nowMs: number): void {
    if (this.#dead.has(base)) return
    this.#dead.set(base, { wantedAtMs: nowMs, isProbed: false })
    this.#logger.warn({ code: 'HLS_UPSTREAM', reason }, 'hls: a server of hls_origin does not answer')
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    for (const [base, server] of this.#dead) {
      if (nowMs - server.wantedAtMs > forgetMs) this.#dead.delete(base)
      else if (!server.isProbed) void this.#check(base, server)
    }
  }

  async #check(base: string, server: DeadServer): Promise<void> {
    server.isProbed = true
    try {
      if (!(await this.#probe(base)) || this.#dead.get(base) !== server) return
      this.#dead.delete(base)
      this.#logger.info({ upstream: base }, 'hls: a server of hls_origin answers again')
    } finally {
      server.isProbed = false
    }
  }
}
