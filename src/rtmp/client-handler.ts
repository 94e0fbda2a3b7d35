/** What a client session is told at its start, and what it tells. */
import type { AmfRecord, AmfValue } from '../media/amf-value.ts'
import type { Packet } from '../media/packet.ts'
import type { HandshakeKind } from './handshake.ts'
import type { Redirect } from './redirect.ts'
import type { Status } from './status.ts'

export interface ClientSessionOptions {
  /** What to offer, `complex` by default; a server that knows only the simple one is accepted anyway. */
  readonly handshake?: HandshakeKind
  /** Bytes of payload in the chunks that we send once connected, 1 .. 0xffffff; 60,000 by default. */
  readonly chunkSize?: number
  /** Bytes after which we acknowledge if the server names no number; 2,500,000 by default. */
  readonly windowAckSize?: number
  /** Bytes of one message; unfinished messages may have twice as many together; 8 MiB by default. */
  readonly maxMessageSize?: number
  /** Chunk streams of the server; 1,024 by default. */
  readonly maxChunkStreams?: number
}

/** The connect command (RTMP 1.0, section 7.2.1.1). */
export interface ConnectParameters {
  /** `rtmp://host:port/app` */
  readonly tcUrl: string
  /** Application, with instance and query. */
  readonly app: string
  /** Members of the command object beside or instead of the usual ones, such as pageUrl and swfUrl. */
  readonly fields?: Readonly<Record<string, AmfValue>>
  /** The argument behind the command object; left out if undefined. */
  readonly args?: AmfValue
}

/** The play command (7.2.2.1). */
export interface PlayParameters {
  /** Seconds; -2 (the default): live, else recorded; -1: live only. */
  readonly start?: number
  /** Seconds; -1 (the default): to the end. */
  readonly duration?: number
  /** How much the server shall send ahead, in ms; 3,000 by default. */
  readonly bufferMs?: number
}

/** Called inside the session's `push`; what a handler throws comes out there. */
export interface ClientSessionHandler {
  /** Bytes for the socket, in order. */
  send(bytes: Buffer): void
  /** @param information what the server tells about itself; SRS and Weir have `data` with their ids in it */
  onConnected(information: AmfRecord | null): void
  /** Media may be sent. */
  onPublishStart(): void
  onPlayStart(): void
  /** Every status of the server, also those that other events follow from. */
  onStatus?(status: Status): void
  /** Media that is played, and its metadata. The body is the receiver's. */
  onPacket(packet: Packet): void
  /** connect, publish or play is refused. The session is closed. */
  onRejected(code: string, description: string): void
  /**
   * The server sends the client elsewhere instead of accepting connect, publish or play; SRS may do so when it has
   * accepted a play. The session is closed. Without this, a redirect is a refusal.
   */
  onRedirect?(redirect: Redirect): void
  /** The server ended the publish or play; level `status` in order, `error` not. The session is closed. */
  onEnded(status: Status): void
  /**
   * A command that the session doesn't know and that wants no answer, such as those of the bandwidth check.
   * @param args what follows the command object
   */
  onCall?(name: string, args: readonly AmfValue[]): void
}

export type ClientSessionState =
  | 'idle'
  | 'handshake'
  /** connect is sent. */
  | 'connecting'
  | 'connected'
  /** createStream is sent. */
  | 'creating'
  /** publish or play is sent. */
  | 'starting'
  | 'publishing'
  | 'playing'
  /** Rejected, ended, failed or closed: nothing happens any more. */
  | 'closed'
