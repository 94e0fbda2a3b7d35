/** What a fleet knows of its clients, whatever they do and whatever transport they use. */

export interface ClientEvents {
  /** The server accepted the publish or play. Once at most. */
  onUp(): void
  /** The client is at its end though nobody closed it, before or after it was up. Once at most. */
  onFailure(error: Error): void
  /** Something was wrong that the client goes on after: an answer was missing, say. It counts as an error. */
  onFault(error: Error): void
}

export interface LoadClient {
  /** Bytes of its direction so far: received by a player, sent by a publisher. */
  readonly bytes: number
  /** Begins to connect; one of the events follows. */
  start(): void
  /** Takes leave of the server; no event follows. */
  close(): void
}

export interface Player extends LoadClient {
  /** To be called once, at the end. @returns whether anything came that something can be decoded from */
  finish(): boolean
}

/** How long a client may take until it is up, in ms. */
export const connectTimeoutMs = 10_000
