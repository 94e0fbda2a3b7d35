/**
 * The server's end of one RTMP connection, without a socket: bytes in, bytes and requests out (RTMP 1.0, sections 5
 * and 7). Nothing positive is said to a client before the handler has accepted what it asked for.
 */
import type { AmfValue } from '../media/amf-value.ts'
import type { Packet } from '../media/packet.ts'
import { splitAggregate } from './aggregate.ts'
import type { ChunkLimits } from './chunk-reader.ts'
import { decodeCommand } from './command.ts'
import { type HandshakeKind, ServerHandshake } from './handshake.ts'
import { aggregateType, amf0CommandType, amf3CommandType, type RtmpMessage } from './message.ts'
import type { Redirect } from './redirect.ts'
import { ServerCommands, type WireSettings } from './server-commands.ts'
import type { ServerSessionHandler } from './server-handler.ts'
import type { ServerIdentity } from './server-replies.ts'
import { isMedia, packetOf } from './session-media.ts'
import { SessionTransport } from './session-transport.ts'
import { WaitingMessages } from './waiting-messages.ts'

export interface ServerSessionOptions extends WireSettings {
  /** Bytes of one message once connect is accepted; unfinished messages may have twice as many together. */
  readonly maxMessageSize: number
  /** Chunk streams of the client once connect is accepted. */
  readonly maxChunkStreams: number
  /** More members for the data of the connect answer, such as `srs_id`. */
  readonly identity: ServerIdentity
}

export type ServerSessionState =
  /** Before the end of the handshake. */
  | 'handshake'
  /** Before connect is accepted. */
  | 'connect'
  | 'ready'
  /** Rejected, failed or closed: nothing happens any more. */
  | 'closed'

/** What a client may send before it is accepted. */
const limitsBeforeConnect: ChunkLimits = {
  maxMessageSize: 64 * 1024,
  maxPartialBytes: 192 * 1024,
  maxChunkStreams: 64,
}

/**
 * One connection. Messages are taken in order: while a verdict is open, commands and media wait (bounded; a
 * holder who stops reading from the socket while {@link waiting} never meets the bound).
 */
export class ServerSession {
  readonly #options: ServerSessionOptions
  readonly #handler: ServerSessionHandler
  readonly #transport: SessionTransport
  readonly #commands: ServerCommands
  readonly #waiting = new WaitingMessages()
  #state: ServerSessionState = 'handshake'
  #takingWaiting = false
  #bufferLengthMs: number | null = null

  constructor(options: ServerSessionOptions, handler: ServerSessionHandler) {
    this.#options = options
    this.#handler = handler
    this.#transport = new SessionTransport(
      new ServerHandshake(),
      limitsBeforeConnect,
      options.windowAckSize,
      {
        send: (bytes) => handler.send(bytes),
        onHandshake: (kind) => this.#endHandshake(kind),
        onControl: (control) => {
          if (control.kind === 'set-buffer-length') this.#bufferLengthMs = control.durationMs
        },
        onMessage: (message) => this.#receive(message),
      },
    )
    this.#commands = new ServerCommands(options, this.#transport, handler)
  }

  get state(): ServerSessionState {
    return this.#state
  }

  /** Whether a verdict is open: a good time to stop reading from the socket. */
  get waiting(): boolean {
    return this.#commands.waiting && this.#state !== 'closed'
  }

  /** Bytes of payload in the chunks that the client expects now. */
  get chunkSize(): number {
    return this.#transport.chunkSize
  }

  /** All bytes pushed so far. */
  get bytesReceived(): number {
    return this.#transport.bytesReceived
  }

  /** Bytes sent that the client has acknowledged; 0 if it never did. */
  get bytesAcknowledged(): number {
    return this.#transport.bytesAcknowledged
  }

  /** The timestamp given to the {@link sendPing} that the client answered last; null before the first. */
  get lastPong(): number | null {
    return this.#transport.lastPong
  }

  /** How much media the player wants to have buffered, as it said last; null before. */
  get bufferLengthMs(): number | null {
    return this.#bufferLengthMs
  }

  /**
   * Takes bytes from the socket; they are not kept beyond the call.
   * @throws WeirError RTMP_* or AMF_* when the client breaks the protocol. The session is closed then; what it
   *   sent before (perhaps the reason) is worth delivering.
   */
  push(bytes: Buffer): void {
    this.#closeOnError(() => this.#transport.push(bytes))
  }

  /**
   * Like all verdicts it lets waiting messages go on, and throws what {@link push} throws if they are bad.
   * @param wire what holds for this client instead of the options: a virtual host may have its own
   * @param acknowledgeAfter bytes after which we acknowledge, whatever the client asked for; 0: as it asked
   */
  acceptConnect(wire: Partial<WireSettings> = {}, acknowledgeAfter = 0): void {
    this.#decide(() => {
      this.#commands.acceptConnect(wire)
      if (acknowledgeAfter > 0) this.#transport.acknowledgeAfter(acknowledgeAfter)
      const { maxMessageSize, maxChunkStreams } = this.#options
      this.#transport.setLimits({ maxMessageSize, maxPartialBytes: 2 * maxMessageSize, maxChunkStreams })
      this.#state = 'ready'
    })
  }

  /** Ends the session. */
  rejectConnect(code: string, description: string): void {
    this.#decide(() => {
      this.#commands.rejectConnect(code, description)
      this.close()
    })
  }

  /** Sends the client to another server, which it has to connect to anew. Ends the session. */
  redirectConnect(redirect: Redirect): void {
    this.#decide(() => {
      this.#commands.redirectConnect(redirect)
      this.close()
    })
  }

  acceptPublish(streamId: number): void {
    this.#decide(() => this.#commands.acceptPublish(streamId))
  }

  /** The client may ask for something else on the same stream. */
  rejectPublish(streamId: number, code: string, description: string): void {
    this.#decide(() => this.#commands.rejectPublish(streamId, code, description))
  }

  /**
   * The stream is to be published at another server. To a client that knows no redirects it is a refusal. Ends the
   * session: the holder closes the connection once the client has had the time to read this.
   */
  redirectPublish(streamId: number, redirect: Redirect): void {
    this.#decide(() => {
      this.#commands.redirectPublish(streamId, redirect)
      this.close()
    })
  }

  acceptPlay(streamId: number): void {
    this.#decide(() => this.#commands.acceptPlay(streamId))
  }

  /** The client may ask for something else on the same stream. */
  rejectPlay(streamId: number, code: string, description: string): void {
    this.#decide(() => this.#commands.rejectPlay(streamId, code, description))
  }

  /** The same as {@link redirectPublish} for what is to be played at another server. */
  redirectPlay(streamId: number, redirect: Redirect): void {
    this.#decide(() => {
      this.#commands.redirectPlay(streamId, redirect)
      this.close()
    })
  }

  /** The server takes a publish away; media that still comes is dropped. No onUnpublish follows. */
  endPublish(streamId: number, code: string, description: string): void {
    this.#commands.endPublish(streamId, code, description)
  }

  /** The server ends a play. No onStop follows. */
  endPlay(streamId: number, code: string, description: string): void {
    this.#commands.endPlay(streamId, code, description)
  }

  /** Media for one player. (A broadcast encodes once for all its players instead, and writes to their sockets.) */
  sendPacket(streamId: number, packet: Packet): void {
    this.#transport.writePacket(streamId, packet)
  }

  /** Calls a method of the client that returns nothing. */
  sendCall(name: string, ...args: AmfValue[]): void {
    this.#transport.writeCommand(0, { name, transactionId: 0, args: [null, ...args] })
  }

  /** @param timestamp milliseconds of the caller's clock; whole, 0 .. 2^32-1 */
  sendPing(timestamp: number): void {
    this.#transport.writePing(timestamp)
  }

  /** The holder ends the session: no call of the handler follows, not for open publishes and plays either. */
  close(): void {
    this.#state = 'closed'
    this.#transport.close()
    this.#waiting.clear()
  }

  #endHandshake(kind: HandshakeKind): void {
    this.#state = 'connect'
    this.#handler.onHandshake(kind)
  }

  #receive(message: RtmpMessage): void {
    if (!isCommand(message) && !isMedia(message)) return
    if (this.waiting || !this.#waiting.empty) this.#waiting.push(message)
    else this.#take(message)
  }

  #take(message: RtmpMessage): void {
    if (isCommand(message)) {
      this.#commands.dispatch(decodeCommand(message), message.streamId)
      return
    }
    const streamId = this.#commands.publishingId(message.streamId)
    if (streamId === null) return
    if (message.type === aggregateType) {
      for (const part of splitAggregate(message)) this.#deliver(streamId, part)
    } else {
      this.#deliver(streamId, message)
    }
  }

  #deliver(streamId: number, message: RtmpMessage): void {
    const packet = packetOf(message)
    if (packet !== null && this.#state !== 'closed') this.#handler.onPacket(streamId, packet)
  }

  #decide(verdict: () => void): void {
    if (this.#state === 'closed') return
    this.#closeOnError(() => {
      verdict()
      this.#takeWaiting()
    })
  }

  /** A verdict that is given inside of this leaves the messages behind it to the loop that is going on. */
  #takeWaiting(): void {
    if (this.#takingWaiting) return
    this.#takingWaiting = true
    try {
      while (!this.waiting) {
        const message = this.#waiting.shift()
        if (message === undefined) break
        this.#take(message)
      }
    } finally {
      this.#takingWaiting = false
    }
  }

  #closeOnError(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.close()
      throw error
    }
  }
}

function isCommand(message: RtmpMessage): boolean {
  return message.type === amf0CommandType || message.type === amf3CommandType
}
