/** A server that a stream is forwarded to. Counters count since the back-source has the stream. */
export interface ForwardStatus {
  /** `host:port`; behind it the application, if a backend named it. */
  destination: string
  /** `waiting`: nobody publishes. `refused`: the stream has come from there; nothing is tried until it is published anew. */
  state: 'waiting' | 'connecting' | 'forwarding' | 'retrying' | 'refused'
  bytesOut: number
  /** That the server was too slow for. */
  packetsDropped: number
  /** Attempts that followed a failure. */
  retries: number
  /** Why the last connection failed or ended; null: none did. */
  lastError: string | null
}
