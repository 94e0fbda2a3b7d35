import type { TlsTrust } from '../../config/tls-trust.ts'
import type { Packet } from '../../media/packet.ts'
import type { EdgeIdentity, PeerIdentity } from '../../rtmp/edge-identity.ts'
import type { UpstreamUrl } from './upstream-url.ts'

/** A connection over which a stream comes from another server. */
export interface UpstreamLink {
  /** Who the other end is. */
  readonly peer: PeerIdentity
  /** Of the connection, whatever they carry. */
  readonly bytesReceived: number
  /** Resolves when it is over: null, or why. */
  readonly closed: Promise<Error | null>
  close(): void
}

export interface LinkOptions {
  /** For the connection, and for what is asked over it, each, in milliseconds. */
  readonly timeoutMs: number
  /** Ends the link, at whatever point it is. */
  readonly signal: AbortSignal
  /** For servers that are reached over TLS. */
  readonly trust: TlsTrust
  /** @see PullHost */
  readonly route: readonly string[]
  readonly identity: EdgeIdentity | null
  /** A packet's body is the receiver's. */
  readonly onPacket: (packet: Packet) => void
}

/**
 * Opens a link: media may come from then on, or not.
 * @throws WeirError RTMP_REJECTED, UPSTREAM_REFUSED: that server is there and refuses; UPSTREAM_SILENT: it is there and says
 *   nothing; everything else: it is not there, or not in order
 */
export type OpenLink = (at: UpstreamUrl, options: LinkOptions) => Promise<UpstreamLink>
