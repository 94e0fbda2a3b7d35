/**
 * The client's end of one RTMP connection, without a socket: bytes in, bytes and events out (RTMP 1.0, sections 5
 * and 7). It publishes or plays one stream.
 */
import { WeirError } from '../base/errors.ts'
import { type AmfValue, amfObject, asNumber, asRecord } from '../media/amf-value.ts'
import type { Packet } from '../media/packet.ts'
import { splitAggregate } from './aggregate.ts'
import type {
  ClientSessionHandler,
  ClientSessionOptions,
  ClientSessionState,
  ConnectParameters,
  PlayParameters,
} from './client-handler.ts'
import { type Command, decodeCommand } from './command.ts'
import { encodeSetBufferLength } from './control.ts'
import { ClientHandshake, type HandshakeKind } from './handshake.ts'
import { aggregateType, amf0CommandType, amf3CommandType, type RtmpMessage } from './message.ts'
import { isMedia, packetOf, wrapMetadata } from './session-media.ts'
import { SessionTransport } from './session-transport.ts'
import { readStatus, type Status } from './status.ts'

/** What the session's stream is for. */
type Purpose =
  | { readonly kind: 'publish'; readonly stream: string; readonly type: string }
  | { readonly kind: 'play'; readonly stream: string; readonly parameters: PlayParameters }

/** Statuses of level `status` that nevertheless end a publish or play. */
const endings = new Set([
  'NetStream.Unpublish.Success',
  'NetStream.Play.Stop',
  'NetStream.Play.Complete',
  'NetStream.Play.UnpublishNotify',
  'NetConnection.Connect.Closed',
])

/** Statuses with which a play fails, whatever level a server gives them. */
const failures = new Set(['NetStream.Play.StreamNotFound', 'NetStream.Play.Failed', 'NetStream.Failed'])

/** Commands of servers that go along with a status or say nothing. */
const notices = new Set(['onBWDone', 'onFCPublish', 'onFCUnpublish', 'onFCSubscribe'])

/** What ffmpeg says that it is able to play (7.2.1.1): all that a Flash Player of its time was. */
const capabilities = { fpad: false, capabilities: 15, audioCodecs: 4071, videoCodecs: 252, videoFunction: 1 }

export class ClientSession {
  readonly #handler: ClientSessionHandler
  readonly #handshake: ClientHandshake
  readonly #transport: SessionTransport
  readonly #chunkSize: number
  #state: ClientSessionState = 'idle'
  #parameters: ConnectParameters | null = null
  #purpose: Purpose | null = null
  #lastTransaction = 0
  /** The call whose answer decides what happens next. */
  #awaitedTransaction: number | null = null
  /** Message stream of the publish or play; 0 before there is one. */
  #streamId = 0

  constructor(options: ClientSessionOptions, handler: ClientSessionHandler) {
    const { handshake = 'complex', chunkSize = 60_000, windowAckSize = 2_500_000 } = options
    const { maxMessageSize = 8 * 1024 * 1024, maxChunkStreams = 1024 } = options
    this.#handler = handler
    this.#chunkSize = chunkSize
    this.#handshake = new ClientHandshake({ kind: handshake })
    const limits = { maxMessageSize, maxPartialBytes: 2 * maxMessageSize, maxChunkStreams }
    this.#transport = new SessionTransport(this.#handshake, limits, windowAckSize, {
      send: (bytes) => handler.send(bytes),
      onHandshake: () => this.#sendConnect(),
      // StreamBegin and StreamEOF say nothing that the statuses don't.
      onControl: () => {},
      onMessage: (message) => this.#receive(message),
    })
  }

  get state(): ClientSessionState {
    return this.#state
  }

  /** Which handshake the server took; null before it answered. */
  get handshakeKind(): HandshakeKind | null {
    return this.#handshake.kind
  }

  get bytesReceived(): number {
    return this.#transport.bytesReceived
  }

  /** Bytes sent that the server has acknowledged; 0 if it never did. */
  get bytesAcknowledged(): number {
    return this.#transport.bytesAcknowledged
  }

  /**
   * Begins with the handshake; {@link ClientSessionHandler.onConnected} or onRejected follow.
   * @throws WeirError RTMP_STATE unless the session is new
   */
  connect(parameters: ConnectParameters): void {
    this.#advance('idle', 'handshake')
    this.#parameters = parameters
    this.#transport.write(this.#handshake.start())
  }

  /**
   * Publishes as encoders do (releaseStream, FCPublish, createStream, publish); onPublishStart or onRejected follow.
   * @param stream name with query
   * @throws WeirError RTMP_STATE unless connected
   */
  publish(stream: string, type: 'live' | 'record' | 'append' = 'live'): void {
    this.#advance('connected', 'creating')
    this.#purpose = { kind: 'publish', stream, type }
    this.#call(0, 'releaseStream', null, stream)
    this.#call(0, 'FCPublish', null, stream)
    this.#awaitedTransaction = this.#call(0, 'createStream', null)
  }

  /**
   * Plays; onPlayStart or onRejected follow.
   * @param stream name with query
   * @throws WeirError RTMP_STATE unless connected
   */
  play(stream: string, parameters: PlayParameters = {}): void {
    this.#advance('connected', 'creating')
    this.#purpose = { kind: 'play', stream, parameters }
    this.#awaitedTransaction = this.#call(0, 'createStream', null)
  }

  /**
   * Pauses or goes on; a status says when it is done.
   * @param time where the player is, in ms
   * @throws WeirError RTMP_STATE unless playing
   */
  pause(paused: boolean, time = 0): void {
    this.#assertState('playing')
    this.#call(this.#streamId, 'pause', null, paused, time)
  }

  /**
   * Sends media. Metadata goes in the envelope `@setDataFrame`.
   * @throws WeirError RTMP_STATE unless publishing, RTMP_MESSAGE_SIZE
   */
  sendPacket(packet: Packet): void {
    this.#assertState('publishing')
    this.#transport.writePacket(this.#streamId, wrapMetadata(packet))
  }

  /**
   * Asks the server for a sign of life; what it answers counts in {@link bytesReceived}.
   * @param timestamp milliseconds of the caller's clock; whole, 0 .. 2^32-1
   */
  sendPing(timestamp: number): void {
    this.#transport.writePing(timestamp)
  }

  /** Calls a method of the server without wanting an answer. */
  sendCall(name: string, ...args: AmfValue[]): void {
    this.#transport.writeCommand(0, { name, transactionId: 0, args: [null, ...args] })
  }

  /**
   * Takes bytes from the socket; they are not kept beyond the call.
   * @throws WeirError RTMP_* or AMF_* when the server breaks the protocol. The session is closed then.
   */
  push(bytes: Buffer): void {
    try {
      this.#transport.push(bytes)
    } catch (error) {
      this.#shut()
      throw error
    }
  }

  /** Takes leave of the server in order; no call of the handler follows but for the bytes of that. */
  close(): void {
    if (this.#streamId !== 0) {
      if (this.#purpose?.kind === 'publish') this.#call(0, 'FCUnpublish', null, this.#purpose.stream)
      this.#call(0, 'deleteStream', null, this.#streamId)
    }
    this.#shut()
  }

  #shut(): void {
    this.#state = 'closed'
    this.#transport.close()
  }

  #assertState(state: ClientSessionState): void {
    if (this.#state !== state)
      throw new WeirError('RTMP_STATE', `the session is ${this.#state}, not ${state}`)
  }

  #advance(from: ClientSessionState, to: ClientSessionState): void {
    this.#assertState(from)
    this.#state = to
  }

  /** @returns the transaction id */
  #call(streamId: number, name: string, ...args: AmfValue[]): number {
    this.#lastTransaction += 1
    this.#transport.writeCommand(streamId, { name, transactionId: this.#lastTransaction, args })
    return this.#lastTransaction
  }

  #sendConnect(): void {
    this.#advance('handshake', 'connecting')
    const { app = '', tcUrl = '', fields = {}, args } = this.#parameters ?? {}
    const object = amfObject({
      app,
      type: 'nonprivate',
      flashVer: 'FMLE/3.0 (compatible; Weir)',
      tcUrl,
      ...capabilities,
      ...fields,
    })
    const more: AmfValue[] = args === undefined ? [] : [args]
    this.#awaitedTransaction = this.#call(0, 'connect', object, ...more)
  }

  #receive(message: RtmpMessage): void {
    if (message.type === amf0CommandType || message.type === amf3CommandType) {
      this.#receiveCommand(decodeCommand(message))
    } else if (isMedia(message) && this.#purpose?.kind === 'play') {
      const parts = message.type === aggregateType ? splitAggregate(message) : [message]
      for (const part of parts) this.#deliver(part)
    }
  }

  #deliver(message: RtmpMessage): void {
    const packet = packetOf(message)
    if (packet !== null && this.#state !== 'closed') this.#handler.onPacket(packet)
  }

  #receiveCommand(command: Command): void {
    const { name, transactionId, args } = command
    const awaited = transactionId === this.#awaitedTransaction
    switch (name) {
      case '_result':
        if (awaited) this.#receiveResult(args)
        break
      case '_error':
        // Servers that know no releaseStream or FCPublish say so; nobody minds.
        if (awaited) this.#reject(readStatus(args[1]))
        break
      case 'onStatus':
        this.#receiveStatus(readStatus(args[1]))
        break
      case 'close':
        this.#end({
          level: 'status',
          code: 'NetConnection.Connect.Closed',
          description: 'closed by the server',
        })
        break
      default:
        if (notices.has(name)) break
        if (transactionId === 0) this.#handler.onCall?.(name, args.slice(1))
        else this.#transport.writeCommand(0, { name: '_result', transactionId, args: [null, null] })
    }
  }

  #receiveResult(args: readonly AmfValue[]): void {
    this.#awaitedTransaction = null
    if (this.#state === 'connecting') {
      this.#state = 'connected'
      this.#transport.writeChunkSize(this.#chunkSize)
      this.#handler.onConnected(asRecord(args[1]))
    } else if (this.#state === 'creating') {
      const streamId = asNumber(args[1])
      if (streamId === null)
        throw new WeirError('RTMP_COMMAND', 'the answer to createStream has no stream id')
      this.#streamId = streamId
      this.#start()
    }
  }

  #start(): void {
    this.#state = 'starting'
    const streamId = this.#streamId
    if (this.#purpose?.kind === 'publish') {
      const { stream, type } = this.#purpose
      this.#call(streamId, 'publish', null, stream, type)
    } else if (this.#purpose?.kind === 'play') {
      const { stream, parameters } = this.#purpose
      const { start = -2, duration = -1, bufferMs = 3000 } = parameters
      this.#call(streamId, 'play', null, stream, start, duration, true)
      this.#transport.write(encodeSetBufferLength(streamId, bufferMs, this.#transport.chunkSize))
    }
  }

  #receiveStatus(status: Status): void {
    this.#handler.onStatus?.(status)
    const failed = status.level === 'error' || failures.has(status.code)
    // Nobody goes on elsewhere with what it sends: whoever publishes begins anew, with headers and a key frame.
    if (this.#state !== 'publishing' && this.#follow(status)) return
    switch (this.#state) {
      case 'closed':
        break
      case 'publishing':
      case 'playing':
        if (failed || endings.has(status.code)) this.#end(failed ? { ...status, level: 'error' } : status)
        break
      case 'starting':
        if (failed) this.#reject(status)
        else if (status.code === 'NetStream.Publish.Start') this.#publishStarted()
        else if (status.code === 'NetStream.Play.Start') this.#playStarted()
        break
      default:
        if (failed) this.#reject(status)
    }
  }

  #publishStarted(): void {
    this.#state = 'publishing'
    this.#handler.onPublishStart()
  }

  #playStarted(): void {
    this.#state = 'playing'
    this.#handler.onPlayStart()
  }

  /** @returns whether the server sends the client elsewhere, and the handler goes there */
  #follow({ redirect }: Status): boolean {
    if (redirect === undefined || this.#handler.onRedirect === undefined || this.#state === 'closed') {
      return false
    }
    this.#shut()
    this.#handler.onRedirect(redirect)
    return true
  }

  #reject(status: Status): void {
    if (this.#follow(status)) return
    this.#shut()
    this.#handler.onRejected(status.code, status.description)
  }

  #end(status: Status): void {
    this.#shut()
    this.#handler.onEnded(status)
  }
}
