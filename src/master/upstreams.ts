import type { Config } from '../config/config.ts'
import { vhostOf } from '../config/vhost-of.ts'
import type { StreamId } from '../ipc/contract.ts'
import { vhostOfStream } from '../live/stream-key.ts'
import { defaultRtmpPort } from '../rtmp/tc-url.ts'

/**
 * Which other servers a stream is taken from, or given to. The table of streams asks before it opens one. Answers are base
 * addresses such as `rtmp://192.0.2.1:1935`, in the order to try; null: none has to do with this stream.
 */
export interface Upstreams {
  /** Where a stream is pulled from that nobody publishes here. */
  pullFor(stream: StreamId): Promise<readonly string[] | null>
  /** Where a stream is passed on to that somebody publishes here; empty: it should be, and no server takes any. */
  pushFor(stream: StreamId): Promise<readonly string[] | null>
}

/** Puts servers into the order in which they are worth a try. */
export interface UpstreamOrder {
  order(addresses: readonly string[]): readonly string[]
}

/** The upstreams of an edge, as its virtual hosts are configured: `cluster { mode remote; origin …; }`. */
export class EdgeUpstreams implements Upstreams {
  readonly #config: () => Config
  readonly #health: UpstreamOrder

  /** @param config the configuration in force */
  constructor(config: () => Config, health: UpstreamOrder) {
    this.#config = config
    this.#health = health
  }

  async pullFor(stream: StreamId): Promise<readonly string[] | null> {
    const cluster = vhostOf(this.#config(), vhostOfStream(stream))?.cluster
    if (cluster === undefined || cluster.mode !== 'remote') return null
    return this.#health.order(cluster.origin.map(baseAddressOf))
  }

  async pushFor(stream: StreamId): Promise<readonly string[] | null> {
    const cluster = vhostOf(this.#config(), vhostOfStream(stream))?.cluster
    if (cluster === undefined || cluster.mode !== 'remote') return null
    // HTTP-FLV is there to pull from.
    return this.#health.order(
      cluster.origin.map(baseAddressOf).filter((address) => address.startsWith('rtmp')),
    )
  }
}

/** Of servers whose port is not said, unless they speak RTMP. */
const defaultPorts: Readonly<Record<string, number>> = { http: 80, https: 443, rtmps: 443 }

/** The base address of a server as a configuration names it: `host`, `host:port`, or a URL without a path. */
export function baseAddressOf(server: string): string {
  const [, schema = 'rtmp', host = '', port] =
    /^(?:([a-z]+):\/\/)?(\[[^\]]*\]|[^:]+)(?::(\d+))?$/i.exec(server) ?? []
  return `${schema}://${host}:${port ?? defaultPorts[schema] ?? defaultRtmpPort}`
}
