/** How the stream of a publisher is passed on to another server, as its back-source tells it. */
export interface PushStatus {
  /** Base address of the server that takes it, such as `rtmp://192.0.2.1:1935`; '': none does at the moment. */
  address: string
  /** What the log there calls the connection; '' if it is not told. */
  connectionId: string
  bytesOut: number
  /** Packets that the server was too slow for. */
  packetsDropped: number
  /** Attempts after the first one. */
  retries: number
  /** The latest failure, with its code; null: there was none. */
  lastError: string | null
}
