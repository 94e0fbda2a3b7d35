import type { StreamId } from '../ipc/contract.ts'
import type { StreamRegistry } from './registry.ts'
import type { Upstreams } from './upstreams.ts'

/**
 * The upstreams of a node of a cluster: a stream that its virtual host is no edge for is taken from the node that owns it. That
 * is never this one, whatever the registry says of its name: a server does not pull from itself.
 */
export class ClusterUpstreams implements Upstreams {
  readonly #edge: Upstreams
  readonly #registry: StreamRegistry

  /** @param edge what the virtual hosts say, which comes first */
  constructor(edge: Upstreams, registry: StreamRegistry) {
    this.#edge = edge
    this.#registry = registry
  }

  async pullFor(stream: StreamId): Promise<readonly string[] | null> {
    const origins = await this.#edge.pullFor(stream)
    if (origins !== null) return origins
    const owner = await this.#registry.locate(stream)
    return owner === null ? null : [owner.rtmp]
  }

  pushFor(stream: StreamId): Promise<readonly string[] | null> {
    return this.#edge.pushFor(stream)
  }
}
