import { monotonicMs } from '../../base/clock.ts'
import { WeirError } from '../../base/errors.ts'

/** What a guard needs of a connection. */
export interface GuardedLink {
  readonly bytesReceived: number
  /** Asks the other end for a sign of life. */
  ping(): void
  destroy(error: Error): void
}

/** It is looked so many times in the time after which a silent connection is given up. */
const looks = 4

/**
 * Ends a connection of which nothing comes any more: a network that is cut says nothing, and what is sent into it waits for
 * minutes. A server that takes a stream has nothing to say by itself, so it is pinged; one that has never answered a ping
 * is left alone.
 */
export class SilenceGuard {
  readonly #link: GuardedLink
  readonly #silenceMs: () => number
  #timer: NodeJS.Timeout
  #bytes: number
  #heardAtMs = monotonicMs()
  #pinged = false
  #answers = false

  /** @param silenceMs after how long without a byte the connection is given up; asked each time */
  constructor(link: GuardedLink, silenceMs: () => number) {
    this.#link = link
    this.#silenceMs = silenceMs
    this.#bytes = link.bytesReceived
    this.#timer = this.#later()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #later(): NodeJS.Timeout {
    return setTimeout(() => this.#look(), this.#silenceMs() / looks)
  }

  #look(): void {
    const { bytesReceived } = this.#link
    const [nowMs, silenceMs] = [monotonicMs(), this.#silenceMs()]
    if (bytesReceived !== this.#bytes) {
      this.#bytes = bytesReceived
      this.#heardAtMs = nowMs
      this.#answers = this.#pinged
    }
    if (this.#answers && nowMs - this.#heardAtMs > silenceMs) {
      this.#link.destroy(new WeirError('UPSTREAM_SILENT', `nothing has come for ${silenceMs / 1000} s`))
      return
    }
    this.#link.ping()
    this.#pinged = true
    this.#timer = this.#later()
  }
}
