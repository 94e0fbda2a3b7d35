import type { Socket } from 'node:net'
import type { ViewerSocket } from '../../live/viewer.ts'

/** What a transport tells the viewer that it carries. */
export interface TransportOwner {
  /** What was written has left: more may follow. */
  onDrain(): void
  /** The client is gone or breaks the rules; once. `error` is null when it left in good order. */
  onGone(error: Error | null): void
}

/** What carries a stream to one viewer: the endless body of an HTTP answer, or WebSocket messages. */
export interface Transport {
  readonly ip: string
  readonly port: number
  /** Bytes of this request and its answer so far, once accepted. */
  readonly bytesIn: number
  readonly bytesOut: number
  /** The owner hears of the client from now on. */
  start(owner: TransportOwner): void
  /** Answers that there will be no stream; the transport is done with. */
  refuse(status: number): void
  /**
   * Answers that the stream follows.
   * @param first bytes before those of the stream
   * @returns where these go
   * @throws WeirError HTTP_REQUEST when the client cannot be answered so; it may still be refused
   */
  accept(contentType: string, first: Buffer): ViewerSocket
  /** Ends the stream in good order: what was written still leaves. */
  end(reason: string): void
  /** To be called about once a second. */
  sweep(nowMs: number): void
}

/** Reports what becomes of a socket. Many players just drop the connection when they are done: that is no failure. */
export function watchSocket(socket: Socket, owner: TransportOwner): void {
  socket.on('drain', () => owner.onDrain())
  socket.on('error', () => owner.onGone(null))
  socket.on('end', () => owner.onGone(null))
  socket.on('close', () => owner.onGone(null))
}
