/** What every answer of the API has around its data, as SRS 6 has it. */
export interface Envelope {
  /** 0: it worked; else what went wrong. */
  readonly code: number
  /** The server, the same as long as it runs, over all its processes. */
  readonly server: string
  /** This run of the server. */
  readonly service: string
  /** Process id of the master. */
  readonly pid: string
}

/** What an envelope says of the server. */
export interface ServerIdentity {
  /** `server_id` of the configuration, else made at the start. */
  readonly server: string
  readonly service: string
  readonly pid: number
}

/** The envelope of an answer. */
export function envelope({ server, service, pid }: ServerIdentity, code = 0): Envelope {
  return { code, server, service, pid: String(pid) }
}
