import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../../base/clock.ts'
import { codeOf, messageOf, WeirError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import type { Logger } from '../../base/logger.ts'
import { Outage } from '../../base/outage.ts'
import type { TlsTrust } from '../../config/tls-trust.ts'
import type { UpstreamInfo } from '../../ipc/contract.ts'
import type { Packet } from '../../media/packet.ts'
import type { EdgeIdentity } from '../../rtmp/edge-identity.ts'
import type { OpenLink, UpstreamLink } from './upstream-link.ts'
import type { UpstreamUrl } from './upstream-url.ts'

/** The stream that a pull feeds. */
export interface PulledSource {
  publish(sourceId: string): void
  push(packet: Packet): void
  unpublish(): void
}

/** Directives of a virtual host's `cluster` section; all in seconds. */
export interface PullSettings extends TlsTrust {
  readonly originTimeout: number
  readonly originRetry: number
  readonly originSilence: number
  readonly pullTimeout: number
}

/** What a pull needs of the stream that it is for, and tells; settings are those in force. */
export interface PullHost {
  readonly logger: Logger
  readonly settings: PullSettings
  urlOn(address: string): UpstreamUrl
  /** Where the stream goes, this server included: it must not come back to where it is. */
  route(): readonly string[]
  /** Who this end is; null: that is not told. */
  identity(connectionId: string): EdgeIdentity | null
  /** The first media has come. */
  onMedia(): void
  onHealth(address: string, ok: boolean): void
  /** No server has the stream, or has it any more. Nothing follows. */
  onEnded(error: WeirError): void
}

/** With these codes a server that is there does not give the stream. */
const refusals: ReadonlySet<string> = new Set(['RTMP_REJECTED', 'UPSTREAM_REFUSED'])

/** What came of one attempt at one server. */
type Outcome = 'media' | 'nothing' | 'refused'

/** One attempt: from its beginning to its end. */
interface Attempt {
  readonly address: string
  readonly sourceId: string
  readonly abort: AbortController
  /** Null until the server has accepted. */
  link: UpstreamLink | null
  hasMedia: boolean
  /** Why this end gave it up. */
  reason: WeirError | null
  bytes: number
  /** When bytes came last; at first, when it began. */
  heardAtMs: number
}

/** How often it is looked whether something has come, in milliseconds, at most. */
const maxTickMs = 500

/**
 * One stream on its way from one of several servers. When that one fails, is silent or does not have the stream, the
 * next one is tried, round and round; what players get goes on, one key frame later. Its end comes by {@link stop}, or when
 * the servers do not have the stream.
 */
export class UpstreamPull {
  readonly #source: PulledSource
  readonly #host: PullHost
  readonly #open: OpenLink
  readonly #outage = new Outage()
  readonly #life = new AbortController()
  /** When each server was asked last: none is asked too often. */
  readonly #askedAtMs = new Map<string, number>()
  #upstreams: readonly string[]
  #attempt: Attempt | null = null
  /** The source has a publish that was not ended: the next server may go on with it. */
  #publishing = false
  #packets = 0
  #packetsSeen = 0
  #mediaAtMs = monotonicMs()
  #timer: NodeJS.Timeout | null = null

  /** @param upstreams base addresses, at least one, in the order to try */
  constructor(source: PulledSource, upstreams: readonly string[], host: PullHost, open: OpenLink) {
    this.#source = source
    this.#upstreams = upstreams
    this.#host = host
    this.#open = open
    this.#tick()
    void this.#live()
  }

  /** Where it comes from at the moment; null: from nowhere. */
  get upstream(): UpstreamInfo | null {
    const { link, hasMedia, address } = this.#attempt ?? {}
    return link && hasMedia && address !== undefined ? { address, ...link.peer } : null
  }

  /** Other servers, from now on. A pull from one that is still among them goes on. */
  set upstreams(upstreams: readonly string[]) {
    this.#upstreams = upstreams
    const attempt = this.#attempt
    if (attempt === null || upstreams.includes(attempt.address)) return
    this.#giveUp(attempt, new WeirError('UPSTREAM_CHANGED', 'it is no upstream any more'))
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#life.abort()
    this.#attempt?.abort.abort()
  }

  async #live(): Promise<void> {
    const { signal } = this.#life
    /** Attempts since media came last: what came of them, in order. */
    let inVain: Outcome[] = []
    for (let next = 0; !signal.aborted; next += 1) {
      const address = this.#upstreams[next % this.#upstreams.length]!
      const sinceMs = monotonicMs() - (this.#askedAtMs.get(address) ?? Number.NEGATIVE_INFINITY)
      const restMs = this.#host.settings.originRetry * 1000 - sinceMs
      if (restMs > 0) await delay(restMs, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      const outcome = await this.#pullFrom(address)
      if (signal.aborted) return
      inVain = outcome === 'media' ? [] : [...inVain, outcome].slice(-this.#upstreams.length)
      if (inVain.length < this.#upstreams.length) continue
      if (this.#publishing) this.#source.unpublish()
      this.#publishing = false
      if (this.#packets === 0 && inVain.every((one) => one === 'refused')) {
        this.#end('every upstream server has refused it')
      }
    }
  }

  async #pullFrom(address: string): Promise<Outcome> {
    const attempt: Attempt = {
      ...{ address, sourceId: newId(), abort: new AbortController(), link: null, hasMedia: false },
      ...{ reason: null, bytes: 0, heardAtMs: monotonicMs() },
    }
    this.#attempt = attempt
    this.#askedAtMs.set(address, monotonicMs())
    let refused = false
    try {
      attempt.link = await this.#open(this.#host.urlOn(address), {
        timeoutMs: this.#host.settings.originTimeout * 1000,
        trust: this.#host.settings,
        signal: attempt.abort.signal,
        route: this.#host.route(),
        identity: this.#host.identity(attempt.sourceId),
        onPacket: (packet) => this.#take(attempt, packet),
      })
      attempt.heardAtMs = monotonicMs()
      this.#host.onHealth(address, true)
      if (attempt.hasMedia) this.#tellBegun(attempt)
      else this.#host.logger.info(aboutLink(attempt), 'pull: waits for the stream at an upstream server')
      // Whoever is given up may be long in closing: over a network that is cut, nothing comes back.
      const error = await Promise.race([attempt.link.closed, aborted(attempt.abort.signal)])
      throw attempt.reason ?? error ?? new WeirError('RTMP_CLOSED', 'the server ended the stream')
    } catch (error) {
      if (this.#life.signal.aborted) return 'nothing'
      refused = refusals.has(codeOf(error))
      const isThere = refused || codeOf(error) === 'UPSTREAM_SILENT'
      if (attempt.link === null && attempt.reason === null) this.#host.onHealth(address, isThere)
      this.#onFailure(attempt, attempt.reason ?? error)
    } finally {
      this.#attempt = null
    }
    return attempt.hasMedia ? 'media' : refused ? 'refused' : 'nothing'
  }

  #take(attempt: Attempt, packet: Packet): void {
    if (attempt !== this.#attempt || attempt.reason !== null || this.#life.signal.aborted) return
    if (!attempt.hasMedia) {
      attempt.hasMedia = true
      this.#publishing = true
      this.#source.publish(attempt.sourceId)
      this.#host.onMedia()
      if (attempt.link !== null) this.#tellBegun(attempt)
    }
    this.#packets += 1
    this.#source.push(packet)
  }

  #tellBegun(attempt: Attempt): void {
    const failures = this.#outage.end()
    const about = { ...aboutLink(attempt), ...(failures > 0 ? { failures } : {}) }
    this.#host.logger.info(about, 'pull: the stream comes from an upstream server')
  }

  #onFailure({ address, sourceId }: Attempt, error: unknown): void {
    if (!this.#outage.fail(monotonicMs())) return
    const about = { code: codeOf(error), reason: messageOf(error), upstream: address, sid: sourceId }
    this.#host.logger.warn(about, 'pull: the stream does not come from there, the next server is tried')
  }

  #giveUp(attempt: Attempt, reason: WeirError): void {
    attempt.reason ??= reason
    attempt.abort.abort()
  }

  #tick(): void {
    const { originTimeout, originSilence, pullTimeout } = this.#host.settings
    const now = monotonicMs()
    if (this.#packets !== this.#packetsSeen) this.#mediaAtMs = now
    this.#packetsSeen = this.#packets
    if (now - this.#mediaAtMs > pullTimeout * 1000) {
      this.#end(`no media has come for ${pullTimeout} s`)
      return
    }
    this.#lookAt(this.#attempt, now)
    const tickMs = Math.min(maxTickMs, (Math.min(originTimeout, originSilence, pullTimeout) * 1000) / 4)
    this.#timer = setTimeout(() => this.#tick(), tickMs)
  }

  /** Gives up an attempt of which nothing comes: at first there may be servers that have the stream. */
  #lookAt(attempt: Attempt | null, now: number): void {
    if (attempt === null || attempt.link === null) return
    const { originTimeout, originSilence } = this.#host.settings
    const { bytesReceived } = attempt.link
    if (attempt.hasMedia && bytesReceived !== attempt.bytes) attempt.heardAtMs = now
    attempt.bytes = bytesReceived
    const mayBeElsewhere = this.#upstreams.length > 1
    if (!attempt.hasMedia && !mayBeElsewhere) return
    const seconds = attempt.hasMedia ? originSilence : originTimeout
    if (now - attempt.heardAtMs <= seconds * 1000) return
    this.#giveUp(attempt, new WeirError('UPSTREAM_SILENT', `nothing has come for ${seconds} s`))
  }

  #end(why: string): void {
    this.stop()
    this.#host.onEnded(new WeirError('UPSTREAM_ABSENT', why))
  }
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null)
    else signal.addEventListener('abort', () => resolve(null), { once: true })
  })
}

/** What a log line says of where a link leads; what that server does not tell is left out. */
function aboutLink({ address, sourceId, link }: Attempt): Record<string, string | undefined> {
  const { connectionId, serverId, pid } = link?.peer ?? {}
  return {
    ...{ sid: sourceId, upstream: address, upstreamId: connectionId || undefined },
    ...{ upstreamServer: serverId || undefined, upstreamPid: pid || undefined },
  }
}
