/** What the processes tell each other of `http_hooks`: part of the contract. */

/** What other servers are told (`http_hooks`), by another worker if the one that knows of it cannot. */
export interface HookVisit {
  /** Its own: what is told twice by mistake can be told apart. */
  id: string
  action: 'on_close' | 'on_unpublish' | 'on_stop' | 'on_dvr' | 'on_hls'
  /** Connection id. */
  clientId: string
  ip: string
  vhost: string
  app: string
  /** '' for a connection. */
  stream: string
  /** The query as the client gave it, with a leading `?`. */
  param: string
  /** What the JSON says beside that. */
  facts: Record<string, string | number>
}

/** The callbacks of one action (`http_hooks`) that a process has made. */
export interface HookCount {
  /** `on_connect` … */
  action: string
  /** Accepted, or heard of it. */
  answered: number
  /** Said no. */
  refused: number
  /** Did not answer as they should, after all retries. */
  failed: number
  retried: number
  /** Not made at all: too many waited. */
  dropped: number
  /** That all calls took together. */
  seconds: number
}
