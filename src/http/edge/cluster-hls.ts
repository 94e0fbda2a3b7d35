import { monotonicMs } from '../../base/clock.ts'
import type { Config, VhostConfig } from '../../config/config.ts'
import { type StreamKey, streamId } from '../../live/stream-key.ts'
import type { Locator } from '../../worker/locator.ts'
import { configuredUpstreams, type HlsUpstreams } from './hls-upstreams.ts'

/** How long an answer of the master holds, in milliseconds: players ask several times in the length of a segment. */
const freshMs = 1000

/** Streams whose place is kept. */
const maxKnown = 10_000

interface Known {
  readonly atMs: number
  readonly upstreams: Promise<readonly string[] | null>
}

/**
 * HLS of a cluster's streams: that of the node that owns a stream, so that its playlist is the same wherever it is asked for.
 * What `hls_origin` says comes first.
 */
export class ClusterHls implements HlsUpstreams {
  readonly #config: () => Config
  readonly #locator: Locator
  readonly #known = new Map<string, Known>()

  constructor(config: () => Config, locator: Locator) {
    this.#config = config
    this.#locator = locator
  }

  concerns(vhost: VhostConfig): boolean {
    return configuredUpstreams.concerns(vhost) || this.#isShared(vhost)
  }

  hlsUpstreamsOf(stream: StreamKey | null, vhost: VhostConfig) {
    const configured = configuredUpstreams.hlsUpstreamsOf(stream, vhost)
    if (configured !== null || stream === null || !this.#isShared(vhost)) return configured
    const id = streamId(stream)
    const now = monotonicMs()
    const known = this.#known.get(id)
    if (known !== undefined && now - known.atMs < freshMs) return known.upstreams
    const upstreams = this.#locator.locate(id).then(({ http }) => (http === '' ? null : [http]))
    this.#keep(id, { atMs: now, upstreams })
    return upstreams
  }

  /** An edge has its streams from its origins. */
  #isShared({ hls, cluster }: VhostConfig): boolean {
    return hls.enabled && cluster.mode !== 'remote' && this.#config().cluster.registry === 'redis'
  }

  #keep(id: string, known: Known): void {
    this.#known.delete(id)
    const [oldest] = this.#known.keys()
    if (oldest !== undefined && this.#known.size >= maxKnown) this.#known.delete(oldest)
    this.#known.set(id, known)
  }
}
