import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../../base/clock.ts'
import { codeOf, messageOf, WeirError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { Outage } from '../../base/outage.ts'
import { type TlsTrust, tlsOptions } from '../../config/tls-trust.ts'
import type { PushStatus } from '../../ipc/push-facts.ts'
import { type LinkOptions, type LinkSource, PublishLink } from '../relay/publish-link.ts'
import { SilenceGuard } from '../relay/silence-guard.ts'

/** Directives of a virtual host's `cluster` section; all in seconds. */
export interface PushSettings extends TlsTrust {
  readonly originTimeout: number
  readonly originRetry: number
  readonly originSilence: number
  readonly pushTimeout: number
}

/** What a push needs of the stream that it is for, and tells; settings are those in force. */
export interface PushHost {
  readonly logger: Logger
  readonly settings: PushSettings
  readonly source: LinkSource
  /** How the stream is published at a server. */
  optionsFor(address: string): Pick<LinkOptions, 'url' | 'tcUrl' | 'connectFields' | 'connectArgs'>
  /** What the log there calls the connection; '' if it is not told. */
  idOf(link: PublishLink): string
  onHealth(address: string, ok: boolean): void
  /** A server has taken the stream. Told once: whoever publishes it may begin. */
  onAccepted(): void
  /** No server takes it, or takes it any more. Nothing follows. */
  onEnded(error: WeirError): void
}

/** One connection, from its beginning to its end. */
interface Attempt {
  readonly address: string
  readonly abort: AbortController
  /** Null until the server has accepted. */
  link: PublishLink | null
}

/** How long whoever publishes waits for the verdict of the servers, in milliseconds: less than its own deadline. */
const verdictMs = 15_000

/**
 * How long a server that has accepted the connection may take for its verdict, in milliseconds: it may ask others, and
 * begin processes.
 */
const answerMs = 10_000

/** How long what waits at the end of a stream may take to get out, in milliseconds. */
const farewellMs = 3000

/**
 * One stream on its way from its publisher to one of several servers: the verdict of the first one that answers is the
 * publisher's. When the connection is lost later, these servers are tried in turn until one takes the stream, or
 * `push_timeout` is over. Its end comes by {@link stop}, or with the verdict, or by that time-out.
 */
export class UpstreamPush {
  readonly #host: PushHost
  readonly #outage = new Outage()
  readonly #life = new AbortController()
  /** When each server was asked last: none is asked too often. */
  readonly #askedAtMs = new Map<string, number>()
  #upstreams: readonly string[]
  #granted: boolean
  #hasPublisher = false
  /** The publisher has left: what is on its way may still arrive. */
  #stopping = false
  #attempt: Attempt | null = null
  /** Over the connections before. */
  #before = { bytes: 0, dropped: 0 }
  #retries = 0
  #lastError: string | null = null
  /** Runs while no server has the stream. */
  #deadline: NodeJS.Timeout | null = null
  readonly #ended: Promise<void>

  /**
   * @param upstreams base addresses, at least one, in the order to try
   * @param granted whether the publisher has its verdict: servers may refuse it for a while, since the connection before
   *   may not have ended there yet
   * @param earlier what has to be over first: the push of the publisher before
   */
  constructor(
    upstreams: readonly string[],
    host: PushHost,
    granted: boolean,
    earlier: Promise<unknown> = Promise.resolve(),
  ) {
    this.#upstreams = upstreams
    this.#host = host
    this.#granted = granted
    this.#expect()
    this.#ended = earlier.then(() => this.#live())
  }

  get status(): PushStatus {
    const { address = '', link = null } = this.#attempt ?? {}
    return {
      address: link === null ? '' : address,
      connectionId: link === null ? '' : this.#host.idOf(link),
      bytesOut: this.#before.bytes + (link?.bytesSent ?? 0),
      packetsDropped: this.#before.dropped + (link?.dropped ?? 0),
      retries: this.#retries,
      lastError: this.#lastError,
    }
  }

  /** Other servers, from now on. A connection to one that is still among them goes on. */
  set upstreams(upstreams: readonly string[]) {
    this.#upstreams = upstreams
    const { address, abort } = this.#attempt ?? {}
    if (address !== undefined && !upstreams.includes(address)) abort?.abort()
  }

  /** The publisher is there: what comes is its stream. */
  begin(): void {
    if (this.#hasPublisher) return
    this.#hasPublisher = true
    this.#attempt?.link?.begin()
  }

  /** Resolves when the connection is closed: what was queued has left, or had its time. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#expectNothing()
    const timer = setTimeout(() => this.#abort(), farewellMs)
    await this.#attempt?.link?.finish()
    clearTimeout(timer)
    this.#abort()
    await this.#ended
  }

  #abort(): void {
    this.#life.abort()
    this.#attempt?.abort.abort()
  }

  get #isOver(): boolean {
    return this.#stopping || this.#life.signal.aborted
  }

  async #live(): Promise<void> {
    for (let next = 0; !this.#isOver; next += 1) {
      const address = this.#upstreams[next % this.#upstreams.length]!
      await this.#rest(address)
      if (this.#isOver) return
      if (next > 0) this.#retries += 1
      await this.#pushTo(address)
      const isLast = next + 1 >= this.#upstreams.length
      if (!this.#granted && isLast && !this.#isOver) this.#end('PUSH_LOST', this.#lastReason())
    }
  }

  async #rest(address: string): Promise<void> {
    const sinceMs = monotonicMs() - (this.#askedAtMs.get(address) ?? Number.NEGATIVE_INFINITY)
    const restMs = this.#host.settings.originRetry * 1000 - sinceMs
    if (restMs > 0) await delay(restMs, undefined, { signal: this.#life.signal }).catch(() => {})
    this.#askedAtMs.set(address, monotonicMs())
  }

  /** One connection, from its beginning to its end. */
  async #pushTo(address: string): Promise<void> {
    const { settings, source } = this.#host
    const attempt: Attempt = { address, abort: new AbortController(), link: null }
    this.#attempt = attempt
    let guard: SilenceGuard | null = null
    try {
      const link = await PublishLink.open(
        {
          ...this.#host.optionsFor(address),
          tls: await tlsOptions(settings),
          timeoutMs: settings.originTimeout * 1000,
          answerTimeoutMs: Math.max(settings.originTimeout * 1000, answerMs),
          signal: attempt.abort.signal,
          onRedirect: (to) =>
            this.#host.logger.info({ upstream: address, to }, 'push: sent to another server'),
        },
        source,
      )
      attempt.link = link
      this.#host.onHealth(address, true)
      // Its publisher may have left in the same moment.
      if (!this.#isOver) this.#onTaken(address, link)
      guard = new SilenceGuard(link, () => this.#host.settings.originSilence * 1000)
      const error = await link.closed
      if (!this.#life.signal.aborted) {
        if (attempt.abort.signal.aborted)
          throw new WeirError('UPSTREAM_CHANGED', 'it is no upstream any more')
        throw error ?? new WeirError('RTMP_CLOSED', 'the server ended the stream')
      }
    } catch (error) {
      if (!this.#isOver) this.#onFailure(attempt, error)
    } finally {
      const { link } = attempt
      guard?.stop()
      link?.release()
      const { bytes, dropped } = this.#before
      this.#before = { bytes: bytes + (link?.bytesSent ?? 0), dropped: dropped + (link?.dropped ?? 0) }
      this.#attempt = null
    }
  }

  #onTaken(address: string, link: PublishLink): void {
    this.#expectNothing()
    const failures = this.#outage.end()
    const about = {
      upstream: address,
      upstreamId: this.#host.idOf(link),
      ...(failures > 0 ? { failures } : {}),
    }
    this.#host.logger.info(about, 'push: an upstream server takes the stream')
    if (this.#hasPublisher) link.begin()
    if (this.#granted) return
    this.#granted = true
    this.#host.onAccepted()
  }

  #onFailure({ address, abort, link }: Attempt, error: unknown): void {
    const wasTaken = link !== null
    const [code, reason] = [codeOf(error), messageOf(error)]
    this.#lastError = `${code}: ${reason}`
    const isRefused = code === 'RTMP_REJECTED'
    if (!wasTaken && !abort.signal.aborted) this.#host.onHealth(address, isRefused)
    // A server that takes away what it has granted means it: two edges would take the stream from each other for ever.
    if (isRefused && (wasTaken || !this.#granted)) {
      this.#end('PUSH_REFUSED', reason)
      return
    }
    if (wasTaken) this.#expect()
    if (!this.#outage.fail(monotonicMs())) return
    const about = {
      code,
      reason,
      upstream: address,
      ...(wasTaken ? {} : { failures: this.#outage.failures }),
    }
    this.#host.logger.warn(about, 'push: the stream does not get there, the next server is tried')
  }

  /** A server has to take the stream from now on, in time. */
  #expect(): void {
    this.#expectNothing()
    const ms = this.#granted ? this.#host.settings.pushTimeout * 1000 : verdictMs
    this.#deadline = setTimeout(() => this.#end('PUSH_LOST', this.#lastReason()), ms)
  }

  #expectNothing(): void {
    if (this.#deadline !== null) clearTimeout(this.#deadline)
    this.#deadline = null
  }

  #lastReason(): string {
    return `no upstream server takes it: ${this.#lastError ?? 'none has answered in time'}`
  }

  #end(code: 'PUSH_REFUSED' | 'PUSH_LOST', message: string): void {
    if (this.#life.signal.aborted) return
    this.#expectNothing()
    this.#abort()
    this.#host.onEnded(new WeirError(code, message))
  }
}
