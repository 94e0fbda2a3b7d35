import type { VhostConfig } from '../../config/config.ts'
import type { StreamKey } from '../../live/stream-key.ts'

/** Where the HLS of streams is that this server has no files of. */
export interface HlsUpstreams {
  /** Whether there may be any of a virtual host: only its requests are looked at. */
  concerns(vhost: VhostConfig): boolean
  /**
   * The servers that have the HLS of a stream.
   * @param stream null: a file's name does not say whose it is
   * @returns base addresses such as `http://192.0.2.1:8080`, in the order to try; null: it is here
   */
  hlsUpstreamsOf(
    stream: StreamKey | null,
    vhost: VhostConfig,
  ): readonly string[] | null | Promise<readonly string[] | null>
  /** What lets this server in there: a query without a `?`; '': nothing. */
  credentialsFor(stream: StreamKey | null, vhost: VhostConfig): string
}

/** The servers that the configuration names (`hls_origin`): they have every stream of the virtual host. */
export const configuredUpstreams: HlsUpstreams = {
  concerns: ({ cluster }) => cluster.hlsOrigin.length > 0,
  hlsUpstreamsOf: (_stream, { cluster }) => (cluster.hlsOrigin.length > 0 ? cluster.hlsOrigin : null),
  credentialsFor: () => '',
}
