import { nodeQuery } from '../../access/node-token.ts'
import { monotonicMs } from '../../base/clock.ts'
import type { VhostConfig } from '../../config/config.ts'
import type { StreamId } from '../../ipc/contract.ts'
import { type StreamKey, streamId } from '../../live/stream-key.ts'
import { configuredUpstreams, type HlsUpstreams } from './hls-upstreams.ts'

/** What a node of a cluster knows of the others. */
export interface StreamOwners {
  /** Whether this server is one of a cluster. */
  readonly isClustered: boolean
  /** What the nodes know each other by; '': nothing. */
  readonly clusterSecret: string
  /**
   * Where the HTTP server of the node is that owns a stream: `http://192.0.2.1:8080`; '': this one does, or none, or its
   * node does not tell. Never rejects.
   */
  httpOwnerOf(stream: StreamId): Promise<string>
}

/** How long an answer counts, in milliseconds, of so many streams: a crowd asks for the same all the time. */
const knownMs = 2000
const maxKnown = 4096

interface Known {
  readonly upstreams: Promise<readonly string[] | null>
  readonly untilMs: number
}

/**
 * The HLS of a cluster's streams: any node has it, from the one that owns the stream. So everybody gets the same files
 * under the same numbers, whichever node is asked. `hls_origin` comes first, and an edge has its streams from its origins.
 */
export class ClusterHlsUpstreams implements HlsUpstreams {
  readonly #owners: StreamOwners
  /** The one asked for longest ago first. */
  readonly #known = new Map<StreamId, Known>()

  constructor(owners: StreamOwners) {
    this.#owners = owners
  }

  concerns(vhost: VhostConfig): boolean {
    return configuredUpstreams.concerns(vhost) || this.#isShared(vhost)
  }

  hlsUpstreamsOf(
    stream: StreamKey | null,
    vhost: VhostConfig,
  ): readonly string[] | null | Promise<readonly string[] | null> {
    if (stream === null || !this.#isOfNodes(vhost)) {
      return configuredUpstreams.hlsUpstreamsOf(stream, vhost)
    }
    const id = streamId(stream)
    const nowMs = monotonicMs()
    const known = this.#known.get(id)
    if (known !== undefined && known.untilMs > nowMs) return known.upstreams
    const upstreams = this.#owners.httpOwnerOf(id).then((http) => (http === '' ? null : [http]))
    this.#known.delete(id)
    this.#known.set(id, { upstreams, untilMs: nowMs + knownMs })
    const [oldest] = this.#known.keys()
    if (this.#known.size > maxKnown && oldest !== undefined) this.#known.delete(oldest)
    return upstreams
  }

  credentialsFor(stream: StreamKey | null, vhost: VhostConfig): string {
    return stream !== null && this.#isOfNodes(vhost) ? nodeQuery(this.#owners.clusterSecret, stream) : ''
  }

  /** `hls_origin` comes first. */
  #isOfNodes(vhost: VhostConfig): boolean {
    return !configuredUpstreams.concerns(vhost) && this.#isShared(vhost)
  }

  #isShared({ hls, cluster }: VhostConfig): boolean {
    return this.#owners.isClustered && hls.enabled && cluster.mode !== 'remote'
  }
}
