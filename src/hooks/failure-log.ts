import { monotonicMs } from '../base/clock.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'

/** A server that stays down is told of this often, in milliseconds. */
const intervalMs = 10_000

interface Told {
  atMs: number
  /** Failures since. */
  more: number
}

/** Says that callbacks fail: a line for the first failure of each kind, then one every ten seconds with their number. */
export class FailureLog {
  readonly #logger: Logger
  readonly #told = new Map<string, Told>()

  constructor(logger: Logger) {
    this.#logger = logger
  }

  failed(vhost: string, action: string, error: unknown, what: string): void {
    const key = `${vhost} ${action} ${what}`
    const told = this.#told.get(key)
    const nowMs = monotonicMs()
    if (told !== undefined && nowMs - told.atMs < intervalMs) {
      told.more += 1
      return
    }
    this.#told.set(key, { atMs: nowMs, more: 0 })
    const more = told !== undefined && told.more > 0 ? { more: told.more } : {}
    this.#logger.warn(
      { code: codeOf(error), vhost, action, reason: messageOf(error), ...more },
      `hooks: ${what}`,
    )
  }
}
