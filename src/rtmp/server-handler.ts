/** What a server session needs from whoever holds the socket and decides. */
import type { AmfValue } from '../media/amf-value.ts'
import type { Packet } from '../media/packet.ts'
import type { HandshakeKind } from './handshake.ts'
import type { ConnectRequest, PlayRequest, PublishRequest } from './server-requests.ts'

/**
 * Called inside the session's `push` and `accept…`; what a handler throws comes out there. A request is answered
 * at once or later; until then the session reads no further command and no media.
 */
export interface ServerSessionHandler {
  /** Bytes for the socket, in order. */
  send(bytes: Buffer): void
  onHandshake(kind: HandshakeKind): void
  /** To be answered with acceptConnect or rejectConnect. */
  onConnect(request: ConnectRequest): void
  /** To be answered with acceptPublish or rejectPublish. */
  onPublish(request: PublishRequest): void
  /** To be answered with acceptPlay or rejectPlay. */
  onPlay(request: PlayRequest): void
  /** The client ended an accepted publish: by FCUnpublish, closeStream, deleteStream or using the stream anew. */
  onUnpublish(streamId: number): void
  /** The client ended an accepted play: by closeStream, deleteStream or using the stream anew. */
  onStop(streamId: number): void
  /** The player was told already; while it is paused it wants no media. */
  onPause(streamId: number, paused: boolean): void
  /**
   * Media of an accepted publish: aggregates are split, `@setDataFrame` is taken off, AMF3 data is AMF0 data. The
   * body is the receiver's.
   */
  onPacket(streamId: number, packet: Packet): void
  /**
   * A command that the session doesn't know and that wants no answer, such as those of the bandwidth check.
   * @param args what follows the command object
   */
  onCall?(name: string, args: readonly AmfValue[]): void
}
