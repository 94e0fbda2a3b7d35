import { setTimeout as delay } from 'node:timers/promises'
import { monotonicMs } from '../../base/clock.ts'
import { codeOf, messageOf } from '../../base/errors.ts'
import { Outage } from '../../base/outage.ts'
import type { VhostConfig } from '../../config/config.ts'
import type { TlsTrust } from '../../config/tls-trust.ts'
import { vhostOf } from '../../config/vhost-of.ts'
import { vhostOfStream } from '../../live/stream-key.ts'
import { hopOf } from '../../rtmp/forward-route.ts'
import type { OutputFacts, OutputHost, OutputKind, StreamOutput } from '../stream-output.ts'
import { askBackend } from './forward-backend.ts'
import { ForwardLink, type LinkHost, retryMs } from './forward-link.ts'
import { type ForwardTarget, targetOfUrl, targetOn } from './forward-target.ts'

/** Where a stream goes at most: more is a mistake of a backend. */
const maxLinks = 32

/** The process does not wait longer for servers when it ends. */
const closeTimeoutMs = 1000

/** Forwards as an output of a stream. */
export const forwardOutput: OutputKind = {
  name: 'forward',
  open({ forward }, host) {
    return forward.enabled ? new ForwardStream(forward, host) : null
  },
}

type ForwardConfig = VhostConfig['forward']

/** The servers that one stream is forwarded to: those of the configuration, or those that the backend names. */
export class ForwardStream implements StreamOutput {
  readonly #host: OutputHost
  readonly #linkHost: LinkHost
  readonly #retryMs: number
  readonly #backendOutage = new Outage()
  /** By destination, or by the URL that the backend gave. */
  readonly #links = new Map<string, ForwardLink>()
  #config: ForwardConfig
  #publishing = false
  /** The link that had a line of the periodic summary last. */
  #lastTold: ForwardLink | null = null
  /** Ends the question to the backend that goes on. */
  #asking: AbortController | null = null

  /** @param pauseMs between two attempts, of links and to ask the backend */
  constructor(config: ForwardConfig, host: OutputHost, pauseMs = retryMs) {
    this.#config = config
    this.#host = host
    this.#linkHost = linkHostOf(host, () => this.#config)
    this.#retryMs = pauseMs
    if (config.backend === '') this.#linkDestinations()
  }

  get facts(): OutputFacts {
    return { forwards: [...this.#links.values()].map(({ status }) => status) }
  }

  reconfigure({ forward }: Pick<VhostConfig, 'forward'>): boolean {
    if (!forward.enabled) return false
    const { backend } = this.#config
    this.#config = forward
    if (forward.backend !== '' && forward.backend === backend) return true
    this.#asking?.abort()
    if (forward.backend === '') this.#linkDestinations()
    else if (this.#publishing) this.#ask()
    else this.#link([])
    return true
  }

  onRestart(): void {
    this.#publishing = true
    if (this.#config.backend !== '') this.#ask()
    else for (const link of this.#links.values()) link.start()
  }

  onIdle(): void {
    this.#publishing = false
    this.#asking?.abort()
    for (const link of this.#links.values()) void link.stop()
  }

  /** The links are consumers of their own, as long as they are connected. */
  onPacket(): void {}

  /** One link each time, in turn. */
  logSummary(): void {
    const links = [...this.#links.values()]
    const last = this.#lastTold === null ? -1 : links.indexOf(this.#lastTold)
    const next = links[last + 1] ?? links[0]
    this.#lastTold = next ?? null
    next?.logSummary()
  }

  async close(): Promise<void> {
    this.#publishing = false
    this.#asking?.abort()
    const stopped = Promise.all([...this.#links.values()].map((link) => link.stop()))
    const timeout = new AbortController()
    await Promise.race([stopped, delay(closeTimeoutMs, undefined, timeout).catch(() => {})])
    timeout.abort()
  }

  #linkDestinations(): void {
    const targets = this.#config.destination.map((destination) => {
      const target = () => targetOn(destination, this.#host.stream, this.#host.publisher().param)
      return [destination, target] as const
    })
    this.#link(targets)
  }

  /** Links what is wanted and not linked, ends what is no longer wanted, leaves alone what stays. */
  #link(wanted: readonly (readonly [key: string, target: () => ForwardTarget])[]): void {
    const keys = new Set(wanted.map(([key]) => key))
    for (const [key, link] of this.#links) {
      if (keys.has(key)) continue
      this.#links.delete(key)
      void link.stop()
    }
    for (const [key, target] of wanted) {
      const link = this.#links.get(key) ?? this.#newLink(target)
      if (link === null) continue
      this.#links.set(key, link)
      if (this.#publishing) link.start()
    }
  }

  #newLink(target: () => ForwardTarget): ForwardLink | null {
    const { logger } = this.#host
    try {
      if (this.#links.size < maxLinks) {
        return new ForwardLink(target().name, target, this.#linkHost, this.#retryMs)
      }
      logger.error({ code: 'FORWARD_DESTINATION', limit: maxLinks }, 'forward: too many destinations')
    } catch (error) {
      logger.error({ code: codeOf(error) }, `forward: ${messageOf(error)}`)
    }
    return null
  }

  #ask(): void {
    this.#asking?.abort()
    this.#asking = new AbortController()
    void this.#askUntilAnswered(this.#config.backend, this.#asking.signal)
  }

  async #askUntilAnswered(backend: string, signal: AbortSignal): Promise<void> {
    const { serverId, logger } = this.#host
    const tcUrl = this.#host.origin()?.tcUrl ?? ''
    const question = { serverId, tcUrl, ...this.#host.publisher() }
    while (!signal.aborted) {
      try {
        const urls = await askBackend(backend, question, signal)
        if (signal.aborted) return
        this.#backendOutage.end()
        logger.info({ destinations: urls.length }, 'forward: the backend has answered')
        this.#link([...new Set(urls)].map((url) => [url, () => targetOfUrl(url)] as const))
        return
      } catch (error) {
        if (signal.aborted) return
        if (this.#backendOutage.fail(monotonicMs())) {
          const { failures } = this.#backendOutage
          logger.warn(
            { code: 'FORWARD_BACKEND', reason: messageOf(error), failures },
            'forward: the backend gave no usable answer, asking again',
          )
        }
      }
      await delay(this.#retryMs, undefined, { signal }).catch(() => {})
    }
  }
}

function linkHostOf(host: OutputHost, trust: () => TlsTrust): LinkHost {
  const vhost = (): VhostConfig | null => vhostOf(host.config, vhostOfStream(host.stream))
  return {
    logger: host.logger,
    get trust() {
      return trust()
    },
    get chunkSize() {
      return vhost()?.chunkSize ?? 60_000
    },
    get route() {
      return [...(host.origin()?.route ?? []), hopOf(host.serverId, host.stream)]
    },
    get queueMs() {
      return (vhost()?.play.queueLength ?? 30) * 1000
    },
    get stallMs() {
      return host.config.stallTimeout * 1000
    },
    join: (consumer) => host.join(consumer),
    leave: (consumer) => host.leave(consumer),
  }
}
