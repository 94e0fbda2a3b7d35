import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../../base/clock.ts'
import { codeOf, messageOf, WeirError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { Outage } from '../../base/outage.ts'
import { type TlsTrust, tlsOptions } from '../../config/tls-trust.ts'
import type { ForwardStatus } from '../../ipc/forward-facts.ts'
import { formatRoute, routeField } from '../../rtmp/forward-route.ts'
import { type LinkSource, PublishLink } from '../relay/publish-link.ts'
import type { ForwardTarget } from './forward-target.ts'

/** What a link needs of the stream that it forwards; settings are those in force. */
export interface LinkHost extends LinkSource {
  readonly logger: Logger
  /** For servers that are reached over TLS. */
  readonly trust: TlsTrust
  /** Where the stream comes from, this server included. */
  readonly route: readonly string[]
}

/** Between two attempts, in milliseconds; SRS's. */
export const retryMs = 3000

/** For the connection and its handshake, and for the publish. */
const connectTimeoutMs = 5000

/** How long what waits at the end of a stream may take to get out. */
const farewellMs = 3000

/**
 * One stream on its way to one server: an RTMP client that publishes there what the source has, and connects anew when
 * that fails. Each connection begins as a player's does, with the headers and the GOP.
 */
export class ForwardLink {
  readonly #name: string
  readonly #target: () => ForwardTarget
  readonly #host: LinkHost
  readonly #logger: Logger
  readonly #retryMs: number
  readonly #outage = new Outage()
  #state: ForwardStatus['state'] = 'waiting'
  #link: PublishLink | null = null
  /** Ends the present life of the link; null: it has none. */
  #life: AbortController | null = null
  /** The lives before: one begins when the last has ended, so that the server never has two at a time. */
  #ended: Promise<void> = Promise.resolve()
  /** Over the connections before. */
  #before = { bytes: 0, dropped: 0 }
  #retries = 0
  #lastError: string | null = null
  /** What the last line of the periodic summary told. */
  #told = { atMs: monotonicMs(), bytesOut: 0 }

  /**
   * @param name as operators know it
   * @param target where it goes, asked before each connection: the query may have changed
   * @param pauseMs between two attempts
   */
  constructor(name: string, target: () => ForwardTarget, host: LinkHost, pauseMs = retryMs) {
    this.#name = name
    this.#target = target
    this.#host = host
    this.#logger = host.logger.child({ destination: name })
    this.#retryMs = pauseMs
  }

  get status(): ForwardStatus {
    return {
      destination: this.#name,
      state: this.#state,
      bytesOut: this.#before.bytes + (this.#link?.bytesSent ?? 0),
      packetsDropped: this.#before.dropped + (this.#link?.dropped ?? 0),
      retries: this.#retries,
      lastError: this.#lastError,
    }
  }

  /** One line about what it does, with the rate since the one before. */
  logSummary(): void {
    const { state, bytesOut, packetsDropped: dropped, retries } = this.status
    const nowMs = monotonicMs()
    const kbpsOut = Math.round((8 * (bytesOut - this.#told.bytesOut)) / Math.max(1, nowMs - this.#told.atMs))
    this.#told = { atMs: nowMs, bytesOut }
    const what = state === 'forwarding' ? 'going on' : state
    this.#logger.info({ bytesOut, kbpsOut, dropped, retries }, `forward: ${what}`)
  }

  /** A publisher is there. A link that goes on, or retries, does so; one that was refused tries once more. */
  start(): void {
    if (this.#life !== null && this.#state !== 'refused') return
    const life = new AbortController()
    this.#life = life
    this.#state = 'connecting'
    this.#ended = this.#ended.then(() => this.#live(life.signal))
  }

  /** Resolves when the connection is closed: what was queued has left, or had its time. */
  async stop(): Promise<void> {
    const life = this.#life
    if (life === null) return
    const ended = this.#ended
    this.#life = null
    this.#state = 'waiting'
    const timer = setTimeout(() => life.abort(), farewellMs)
    await this.#link?.finish()
    clearTimeout(timer)
    life.abort()
    await ended
  }

  /** Connects, again and again, until it is stopped or refused. */
  async #live(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#enter('connecting', signal)
      try {
        await this.#forward(signal)
      } catch (error) {
        if (signal.aborted) return
        this.#onFailure(error)
        if (isLoop(error)) {
          this.#enter('refused', signal)
          return
        }
      }
      this.#enter('retrying', signal)
      await delay(this.#retryMs, undefined, { signal }).catch(() => {})
      if (!signal.aborted) this.#retries += 1
    }
  }

  /** What becomes of a life that is over, or about to end, says nothing about the link. */
  #enter(state: ForwardStatus['state'], signal: AbortSignal): void {
    if (this.#life?.signal === signal) this.#state = state
  }

  /** One connection, from its beginning to its end; throws why it ended. */
  async #forward(signal: AbortSignal): Promise<void> {
    const { url, tcUrl } = this.#target()
    const fields = { [routeField]: formatRoute(this.#host.route) }
    const address = { url, ...(tcUrl === undefined ? {} : { tcUrl }) }
    const tls = await tlsOptions(this.#host.trust)
    const options = { ...address, tls, timeoutMs: connectTimeoutMs, connectFields: fields, signal }
    const link = await PublishLink.open(options, this.#host)
    this.#link = link
    try {
      if (this.#life?.signal === signal) this.#begin(link)
      throw (await link.closed) ?? new WeirError('RTMP_CLOSED', 'the server ended the stream')
    } finally {
      link.release()
      const { bytes, dropped } = this.#before
      this.#before = { bytes: bytes + link.bytesSent, dropped: dropped + link.dropped }
      this.#link = null
    }
  }

  #begin(link: PublishLink): void {
    this.#state = 'forwarding'
    const failures = this.#outage.end()
    this.#logger.info(failures > 0 ? { failures } : {}, 'forward: the stream is forwarded')
    link.begin()
  }

  #onFailure(error: unknown): void {
    const code = isLoop(error) ? 'FORWARD_LOOP' : codeOf(error)
    const reason = messageOf(error)
    this.#lastError = `${code}: ${reason}`
    const worthALine = this.#outage.fail(monotonicMs())
    if (code === 'FORWARD_LOOP') {
      this.#logger.error({ code, reason }, 'forward: refused, the stream has come from there')
    } else if (worthALine) {
      const { failures } = this.#outage
      this.#logger.warn({ code, reason, failures }, 'forward: the stream is not forwarded, trying again')
    }
  }
}

/** Whether the other server is one that the stream has come from: it says so when it refuses the publish. */
function isLoop(error: unknown): boolean {
  return codeOf(error) === 'RTMP_REJECTED' && messageOf(error).includes('FORWARD_LOOP')
}
