import type { ErrorCode } from '../base/errors.ts'
import type { VhostConfig } from '../config/config.ts'
import type { AmfRecord } from '../media/amf-value.ts'

/** What a client wants to do. */
export type AccessAction = 'connect' | 'publish' | 'play'

/** A client that wants something, as checks see it. Strings that it did not send are ''. */
export interface AccessRequest {
  readonly action: AccessAction
  /** Connection id, as in the log. */
  readonly clientId: string
  readonly ip: string
  /** The virtual host that serves it, after resolution. */
  readonly vhost: string
  readonly app: string
  /** '' at connect. */
  readonly stream: string
  /** The query as the client gave it, with a leading `?`. */
  readonly param: string
  readonly tcUrl: string
  /** Page that the client is in. */
  readonly pageUrl: string
  readonly swfUrl: string
  /** `rtmp`, `http-flv`, `ws-flv` … */
  readonly protocol: string
  /** The token of its `Authorization: Bearer` header; absent: it has none, or no headers. */
  readonly bearer?: string
  /** What it sent behind the connect object, in which edges tell who they are; absent: nothing. */
  readonly connectArgs?: AmfRecord
}

/** What a client that leaves has sent and got. */
export interface VisitTraffic {
  readonly sendBytes: number
  readonly recvBytes: number
}

/** To be called once when what was let in has ended. */
export type VisitEnd = (traffic: VisitTraffic) => void

export interface Accepted {
  readonly ok: true
  /** What follows when it ends; absent: nothing. */
  readonly end?: VisitEnd
}

export interface Refused {
  readonly ok: false
  readonly code: ErrorCode
  /** For the log and for the client. */
  readonly message: string
  /** The server that has the stream, where the client is sent: `rtmp://host:port`. Absent: it is refused. */
  readonly redirect?: string
}

export type Verdict = Accepted | Refused

/** A verdict at once where nobody else is to be asked. */
export type Decision = Verdict | Promise<Verdict>

/** The verdict of whoever has nothing against it. */
export const accepted: Accepted = { ok: true }

/** One condition on which clients are let in. */
export interface AccessCheck {
  /** As it is called in log lines. */
  readonly name: string
  /** Whether a virtual host asks for it. Asked for every client: cheap, and nothing is allocated. */
  applies(action: AccessAction, vhost: VhostConfig): boolean
  check(request: AccessRequest, vhost: VhostConfig): Decision
}
