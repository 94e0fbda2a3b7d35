/** The server's side of the command dialogue: connect, createStream, publish, play and what goes with them. */
import { WeirError } from '../base/errors.ts'
import { asNumber, asString } from '../media/amf-value.ts'
import type { Command } from './command.ts'
import type { Redirect } from './redirect.ts'
import type { ServerSessionHandler } from './server-handler.ts'
import { type ServerIdentity, ServerReplies } from './server-replies.ts'
import { type ConnectRequest, connectRequest, playRequest, publishRequest } from './server-requests.ts'
import { type ServerStream, ServerStreams } from './server-streams.ts'
import type { SessionTransport } from './session-transport.ts'

/** What is said about the wire when connect is accepted. */
export interface WireSettings {
  /** Bytes of payload in the chunks that we send from then on, 1 .. 0xffffff. */
  readonly chunkSize: number
  /** Bytes after which the client shall acknowledge, and we do if it names no number; SRS has 2,500,000. 0: never. */
  readonly windowAckSize: number
}

export interface CommandOptions extends WireSettings {
  readonly identity: ServerIdentity
}

/** A request whose verdict is open. One at a time: what comes behind it waits. */
type OpenRequest =
  | { readonly kind: 'connect'; readonly transactionId: number }
  | { readonly kind: 'publish'; readonly stream: ServerStream }
  | { readonly kind: 'play'; readonly stream: ServerStream; readonly name: string; readonly reset: boolean }

type Method = (self: ServerCommands, command: Command, streamId: number) => void

/** Answers to calls that the server made: they want none themselves. */
const answers = new Set(['_result', '_error', 'onStatus'])

/** The statuses with which a play ends in order; with any other it has failed. */
const orderlyPlayEnds = new Set([
  'NetStream.Play.Stop',
  'NetStream.Play.Complete',
  'NetStream.Play.UnpublishNotify',
])

export class ServerCommands {
  /** Commands by name. A call that is not here is answered with null, as Flash clients expect of e.g. `_checkbw`. */
  static readonly #methods: ReadonlyMap<string, Method> = new Map<string, Method>([
    ['createStream', (self, command) => self.#createStream(command)],
    ['releaseStream', (self, command) => self.#releaseStream(command)],
    ['FCPublish', (self, command) => self.#releaseStream(command)],
    ['FCUnpublish', (self, command) => self.#fcUnpublish(command)],
    ['FCSubscribe', (self, command) => self.#fcSubscribe(command)],
    ['getStreamLength', (self, command) => self.#getStreamLength(command)],
    ['publish', (self, command, streamId) => self.#publish(command, streamId)],
    ['play', (self, command, streamId) => self.#play(command, streamId)],
    ['pause', (self, command, streamId) => self.#pause(command, streamId)],
    ['closeStream', (self, _command, streamId) => self.#closeStream(streamId)],
    ['deleteStream', (self, command, streamId) => self.#deleteStream(command, streamId)],
  ])

  readonly #options: CommandOptions
  readonly #transport: SessionTransport
  readonly #handler: ServerSessionHandler
  readonly #replies: ServerReplies
  readonly #streams = new ServerStreams()
  #connection: ConnectRequest | null = null
  #openRequest: OpenRequest | null = null

  constructor(options: CommandOptions, transport: SessionTransport, handler: ServerSessionHandler) {
    this.#options = options
    this.#transport = transport
    this.#handler = handler
    this.#replies = new ServerReplies(transport)
  }

  /** Whether a verdict is open: nothing may be dispatched until it is given. */
  get waiting(): boolean {
    return this.#openRequest !== null
  }

  /** Id of the publishing stream that a media message belongs to; null when there is none: it is to be dropped. */
  publishingId(streamId: number): number | null {
    const stream = this.#streams.find(streamId)
    return stream?.state === 'publishing' ? stream.id : null
  }

  /** @throws WeirError RTMP_STATE, RTMP_COMMAND, RTMP_NAME, RTMP_FLOOD; or what the handler throws */
  dispatch(command: Command, streamId: number): void {
    try {
      if (this.#connection === null) this.#dispatchFirst(command)
      else this.#dispatchNext(command, streamId)
    } catch (error) {
      if (error instanceof WeirError && error.code === 'RTMP_NAME') this.#explain(error, command, streamId)
      throw error
    }
  }

  #dispatchFirst(command: Command): void {
    if (command.name !== 'connect') throw new WeirError('RTMP_STATE', `${command.name} before connect`)
    this.#connection = connectRequest(command)
    this.#openRequest = { kind: 'connect', transactionId: command.transactionId }
    this.#handler.onConnect(this.#connection)
  }

  #dispatchNext(command: Command, streamId: number): void {
    const { name, transactionId } = command
    if (name === 'connect') throw new WeirError('RTMP_STATE', 'a second connect')
    if (answers.has(name)) return
    this.#endFlashPublish(streamId)
    const method = ServerCommands.#methods.get(name)
    if (method !== undefined) method(this, command, streamId)
    else if (transactionId !== 0) this.#replies.result(transactionId, null, null)
    else this.#handler.onCall?.(name, command.args.slice(1))
  }

  /** Tells the client what is wrong with a name before the session ends for it: encoders show the description. */
  #explain(error: WeirError, command: Command, streamId: number): void {
    switch (command.name) {
      case 'connect':
        this.#replies.connectRejected(command.transactionId, 'NetConnection.Connect.Rejected', error.message)
        break
      case 'publish':
        this.#replies.error(streamId, 'NetStream.Publish.BadName', error.message)
        break
      case 'play':
        this.#replies.error(streamId, 'NetStream.Play.Failed', error.message)
        break
    }
  }

  /**
   * Flash's NetStream says only with its next command that it publishes no more. Commands of other streams and of
   * the connection (a conference plays while it publishes) don't end it.
   */
  #endFlashPublish(streamId: number): void {
    const stream = streamId === 0 ? undefined : this.#streams.find(streamId)
    if (stream?.state === 'publishing' && stream.publishStyle === 'flash') this.#endUse(stream)
  }

  #createStream(command: Command): void {
    this.#replies.result(command.transactionId, null, this.#streams.create().id)
  }

  #releaseStream(command: Command): void {
    this.#streams.noteFcPublish()
    this.#replies.result(command.transactionId, null, undefined)
  }

  #fcUnpublish(command: Command): void {
    const stream = this.#streams.findPublishing(asString(command.args[1]) ?? '')
    if (stream !== undefined) {
      this.#endUse(stream)
      this.#replies.unpublishing(stream.id)
    }
    this.#replies.result(command.transactionId, null, undefined)
    if (stream !== undefined) this.#replies.unpublished(stream.id)
  }

  /** Akamai's and librtmp's players subscribe first, some wait for onFCSubscribe. */
  #fcSubscribe(command: Command): void {
    if (command.transactionId !== 0) this.#replies.result(command.transactionId, null, undefined)
    this.#replies.subscribed()
  }

  /** 0: a live stream has no length. ffmpeg warns if the answer is no number. */
  #getStreamLength(command: Command): void {
    this.#replies.result(command.transactionId, null, 0)
  }

  #publish(command: Command, streamId: number): void {
    const stream = this.#streamFor(command, streamId)
    this.#endUse(stream)
    const name = streamNameOf(command)
    if (name === null || this.#transport.closed) return
    const style = this.#streams.publishStyle
    const request = publishRequest(this.#connected, stream.id, name, style, command)
    stream.state = 'publish-asked'
    stream.publishName = name
    stream.publishStyle = style
    this.#openRequest = { kind: 'publish', stream }
    this.#handler.onPublish(request)
  }

  #play(command: Command, streamId: number): void {
    const stream = this.#streamFor(command, streamId)
    this.#endUse(stream)
    const name = streamNameOf(command)
    if (name === null || this.#transport.closed) return
    const request = playRequest(this.#connected, stream.id, name, command)
    stream.state = 'play-asked'
    this.#openRequest = { kind: 'play', stream, name: request.stream, reset: request.reset }
    this.#handler.onPlay(request)
  }

  #pause(command: Command, streamId: number): void {
    const stream = this.#streams.find(streamId)
    if (stream?.state !== 'playing') return
    const paused = command.args[1] === true
    if (paused) this.#replies.paused(stream.id)
    else this.#replies.resumed(stream.id)
    this.#handler.onPause(stream.id, paused)
  }

  /** The stream itself stays: JW Player and Flowplayer close to pause and play again on the same stream. */
  #closeStream(streamId: number): void {
    const stream = this.#streams.find(streamId)
    if (stream !== undefined) this.#endUse(stream)
  }

  /** The id is an argument: the message itself comes on stream 0 or on the one it deletes. */
  #deleteStream(command: Command, streamId: number): void {
    const stream = this.#streams.find(asNumber(command.args[1]) ?? streamId)
    if (stream === undefined) return
    this.#endUse(stream)
    this.#streams.delete(stream.id)
  }

  /** Ends what the client does with the stream, if it does anything. */
  #endUse(stream: ServerStream): void {
    const { state } = stream
    stream.state = 'idle'
    if (state === 'publishing') this.#handler.onUnpublish(stream.id)
    else if (state === 'playing') this.#handler.onStop(stream.id)
  }

  get #connected(): ConnectRequest {
    if (this.#connection === null) throw new WeirError('RTMP_STATE', 'not connected')
    return this.#connection
  }

  #streamFor(command: Command, streamId: number): ServerStream {
    const stream = this.#streams.find(streamId)
    if (stream !== undefined) return stream
    throw new WeirError('RTMP_STATE', `${command.name} on message stream ${streamId}, which is not open`)
  }

  /** @param wire what holds for this client instead of the options */
  acceptConnect(wire: Partial<WireSettings>): void {
    const { transactionId } = this.#settle('connect', 0)
    const { objectEncoding } = this.#connected
    this.#replies.connected({ ...this.#options, ...wire, transactionId, objectEncoding })
  }

  rejectConnect(code: string, description: string): void {
    const { transactionId } = this.#settle('connect', 0)
    this.#replies.connectRejected(transactionId, code, description)
  }

  redirectConnect(redirect: Redirect): void {
    const { transactionId } = this.#settle('connect', 0)
    this.#replies.connectRedirected(transactionId, redirect)
  }

  acceptPublish(streamId: number): void {
    const { stream } = this.#settle('publish', streamId)
    stream.state = 'publishing'
    this.#replies.published(stream.id, stream.publishStyle)
  }

  rejectPublish(streamId: number, code: string, description: string): void {
    const { stream } = this.#settle('publish', streamId)
    stream.state = 'idle'
    this.#replies.error(stream.id, code, description)
  }

  redirectPublish(streamId: number, redirect: Redirect): void {
    this.#settle('publish', streamId).stream.state = 'idle'
    this.#replies.redirected(redirect)
  }

  redirectPlay(streamId: number, redirect: Redirect): void {
    this.#settle('play', streamId).stream.state = 'idle'
    this.#replies.redirected(redirect)
  }

  acceptPlay(streamId: number): void {
    const { stream, name, reset } = this.#settle('play', streamId)
    stream.state = 'playing'
    this.#replies.playing(stream.id, name, reset)
  }

  rejectPlay(streamId: number, code: string, description: string): void {
    const { stream } = this.#settle('play', streamId)
    stream.state = 'idle'
    this.#replies.error(stream.id, code, description)
  }

  /** Nothing happens if the client has ended it already. */
  endPublish(streamId: number, code: string, description: string): void {
    const stream = this.#streams.find(streamId)
    if (stream?.state !== 'publishing') return
    stream.state = 'idle'
    this.#replies.error(stream.id, code, description)
  }

  /** Nothing happens if the client has ended it already. */
  endPlay(streamId: number, code: string, description: string): void {
    const stream = this.#streams.find(streamId)
    if (stream?.state !== 'playing') return
    stream.state = 'idle'
    this.#replies.streamEof(stream.id)
    if (orderlyPlayEnds.has(code)) this.#replies.status(stream.id, { level: 'status', code, description })
    else this.#replies.error(stream.id, code, description)
  }

  /** Takes the open request that a verdict is for. */
  #settle<K extends OpenRequest['kind']>(kind: K, streamId: number): Extract<OpenRequest, { kind: K }> {
    const request = this.#openRequest
    if (request === null || !isOfKind(request, kind) || streamIdOf(request) !== streamId) {
      throw new WeirError('RTMP_STATE', `there is no ${kind} on stream ${streamId} to decide on`)
    }
    this.#openRequest = null
    return request
  }
}

function streamIdOf(request: OpenRequest): number {
  return request.kind === 'connect' ? 0 : request.stream.id
}

function isOfKind<K extends OpenRequest['kind']>(
  request: OpenRequest,
  kind: K,
): request is Extract<OpenRequest, { kind: K }> {
  return request.kind === kind
}

/**
 * The name that publish or play is for, with query; null when the client ends what it did: Flash sends `false`
 * for NetStream.publish(false) and play(false).
 */
function streamNameOf(command: Command): string | null {
  const name = command.args[1]
  if (name === false) return null
  if (typeof name === 'string') return name
  throw new WeirError('RTMP_COMMAND', `${command.name} without a stream name`)
}
