import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../../base/clock.ts'
import { codeOf, messageOf, WeirError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { Outage } from '../../base/outage.ts'
import type { RtmpClient } from '../../client/rtmp-client.ts'
import type { ForwardStatus } from '../../ipc/forward-facts.ts'
import type { SourceConsumer } from '../../live/source.ts'
import type { Packet } from '../../media/packet.ts'
import { formatRoute, routeField } from '../../rtmp/forward-route.ts'
import { ForwardQueue } from './forward-queue.ts'
import type { ForwardTarget } from './forward-target.ts'

/** What a link needs of the stream that it forwards; settings are those in force. */
export interface LinkHost {
  readonly logger: Logger
  readonly chunkSize: number
  /** Where the stream comes from, this server included. */
  readonly route: readonly string[]
  /** `queue_length` and `stall_timeout`. */
  readonly queueMs: number
  readonly stallMs: number
  /** Gives the link the headers, the GOP and then every packet. */
  join(consumer: SourceConsumer): void
  leave(consumer: SourceConsumer): void
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
export class ForwardLink implements SourceConsumer {
  readonly #name: string
  readonly #target: () => ForwardTarget
  readonly #host: LinkHost
  readonly #logger: Logger
  readonly #retryMs: number
  readonly #outage = new Outage()
  readonly #queue = new ForwardQueue()
  #state: ForwardStatus['state'] = 'waiting'
  #client: RtmpClient | null = null
  /** Ends the present life of the link; null: it has none. */
  #life: AbortController | null = null
  /** The lives before: one begins when the last has ended, so that the server never has two at a time. */
  #ended: Promise<void> = Promise.resolve()
  #bytesBefore = 0
  #retries = 0
  #lastError: string | null = null

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
      bytesOut: this.#bytesBefore + (this.#client?.bytesSent ?? 0),
      packetsDropped: this.#queue.dropped,
      retries: this.#retries,
      lastError: this.#lastError,
    }
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
    this.#host.leave(this)
    const timer = setTimeout(() => life.abort(), farewellMs)
    await this.#queue.emptied()
    clearTimeout(timer)
    life.abort()
    await ended
  }

  onRestart(): void {
    this.#queue.restart()
  }

  /** Whoever owns the link says when it ends. */
  onIdle(): void {}

  onPacket(packet: Packet): void {
    const { queueMs, stallMs } = this.#host
    this.#queue.push(packet, queueMs)
    if (!this.#queue.blocked || this.#queue.blockedMs(monotonicMs()) <= stallMs) return
    const seconds = Math.round(stallMs / 1000)
    this.#client?.destroy(new WeirError('FORWARD_SLOW', `nothing was read for ${seconds} s`))
  }

  /** Connects, again and again, until it is stopped or refused. */
  async #live(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#state = 'connecting'
      try {
        await this.#forward(signal)
      } catch (error) {
        if (signal.aborted) return
        this.#onFailure(error)
        if (isLoop(error)) {
          this.#state = 'refused'
          return
        }
      }
      this.#state = 'retrying'
      await delay(this.#retryMs, undefined, { signal }).catch(() => {})
      if (!signal.aborted) this.#retries += 1
    }
  }

  /** One connection, from its beginning to its end; throws why it ended. */
  async #forward(signal: AbortSignal): Promise<void> {
    // A back-source that forwards nothing does not load the client.
    const { RtmpClient } = await import('../../client/rtmp-client.ts')
    const { url, tcUrl } = this.#target()
    const closed = Promise.withResolvers<Error | null>()
    const client = await RtmpClient.connect(url, {
      timeoutMs: connectTimeoutMs,
      connectFields: { [routeField]: formatRoute(this.#host.route) },
      chunkSize: this.#host.chunkSize,
      onClose: closed.resolve,
      signal,
      ...(tcUrl === undefined ? {} : { tcUrl }),
    })
    this.#client = client
    try {
      await client.publish()
      if (this.#life?.signal === signal) this.#begin(client)
      throw (await closed.promise) ?? new WeirError('RTMP_CLOSED', 'the server ended the stream')
    } finally {
      this.#host.leave(this)
      this.#queue.close()
      this.#bytesBefore += client.bytesSent
      this.#client = null
    }
  }

  #begin(client: RtmpClient): void {
    this.#state = 'forwarding'
    const failures = this.#outage.end()
    this.#logger.info(failures > 0 ? { failures } : {}, 'forward: the stream is forwarded')
    this.#queue.open(client)
    this.#host.join(this)
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
