/**
 * An RTMP client over TCP or TLS: publishes or plays one stream. What librtmp is to C.
 *
 * ```ts
 * const client = await RtmpClient.connect('rtmp://localhost/live/one')
 * await client.play()
 * for await (const packet of client.packets()) console.log(packet.timestamp, packet.body.length)
 * ```
 */
import { monotonicMs } from '../base/clock.ts'
import { messageOf, WeirError } from '../base/errors.ts'
import type { AmfRecord, AmfValue } from '../media/amf-value.ts'
import type { Packet } from '../media/packet.ts'
import type { PlayParameters } from '../rtmp/client-handler.ts'
import type { HandshakeKind } from '../rtmp/handshake.ts'
import type { Redirect } from '../rtmp/redirect.ts'
import type { Status } from '../rtmp/status.ts'
import { PacketQueue } from './packet-queue.ts'
import { type LinkSettings, RtmpLink, type Tls, tlsFor } from './rtmp-link.ts'
import { defaultMaxRedirects, RedirectTrail, redirectedUrl } from './rtmp-redirect.ts'
import { parseRtmpUrl, type RtmpUrl } from './rtmp-url.ts'

export interface RtmpClientOptions {
  /** For connect (TCP, handshake and command together), and for publish and play each; 10,000 by default. */
  readonly timeoutMs?: number
  /** For publish and play each, where a server that is there may take longer than that; `timeoutMs` by default. */
  readonly answerTimeoutMs?: number
  /** What to offer, `complex` by default; a server that knows only the simple one is accepted anyway. */
  readonly handshake?: HandshakeKind
  /** Certificates (PEM) to trust instead of the system's, and whether one that cannot be verified ends it (it does). */
  readonly tls?: { readonly ca?: string | Buffer; readonly rejectUnauthorized?: boolean }
  /** Another tcUrl than that of the URL: an edge passes its client's on. Kept where a redirect leaves the application. */
  readonly tcUrl?: string
  /** How often the client goes where a server sends it instead of serving it; 4 by default. 0: that is an error. */
  readonly maxRedirects?: number
  /** It goes to another server; the address is `host:port`. */
  readonly onRedirect?: (address: string) => void
  /** Members of the connect object beside or instead of the usual ones, such as pageUrl and swfUrl. */
  readonly connectFields?: Readonly<Record<string, AmfValue>>
  /** The argument behind the connect object, in which edges tell who they are. */
  readonly connectArgs?: AmfValue
  /** Ends the client as {@link RtmpClient.close} does; one that is still connecting, at once. */
  readonly signal?: AbortSignal
  /** Bytes of payload in the chunks that are sent; 60,000 by default. */
  readonly chunkSize?: number
  /** Gets the packets that are played. Without it they wait for {@link RtmpClient.packets}. */
  readonly onPacket?: (packet: Packet) => void
  readonly onStatus?: (status: Status) => void
  /** A command of the server that the client doesn't know, such as those of the bandwidth check. */
  readonly onCall?: (name: string, args: readonly AmfValue[]) => void
  /**
   * The socket is closed: null after {@link RtmpClient.close} or when the server ended the stream in order, else
   * why. Called once, if connect has succeeded.
   */
  readonly onClose?: (error: Error | null) => void
}

/** Packets that were played and not read; while there are more, nothing is read from the server. */
const receiveLimits = { packets: 1024, bytes: 4 * 1024 * 1024 }
/** Bytes that may wait for a server that doesn't read them; beyond, the client gives up. */
const maxSendQueueBytes = 16 * 1024 * 1024

/** What the client does with its stream. */
type Purpose =
  | { readonly kind: 'publish'; readonly type: 'live' | 'record' | 'append' }
  | { readonly kind: 'play'; readonly parameters: PlayParameters }

export class RtmpClient {
  #url: RtmpUrl
  readonly #options: RtmpClientOptions
  readonly #timeoutMs: number
  readonly #trail: RedirectTrail
  readonly #queue: PacketQueue
  #link: RtmpLink
  #purpose: Purpose | null = null
  /** The connect, publish or play that somebody waits for. */
  #operation: PromiseWithResolvers<void> | null = null
  #timer: NodeJS.Timeout | undefined
  #drain: PromiseWithResolvers<void> | null = null
  #information: AmfRecord | null = null
  #connected = false
  /** It is about to go to another server. */
  #moving = false
  #forgetSignal: () => void = () => {}
  /** Of the servers that have sent it elsewhere. */
  #bytesBefore = { received: 0, sent: 0 }
  /** Set once the client is closed, with the reason unless that was in order. */
  #end: { readonly error: Error | null } | null = null

  /**
   * Connects, shakes hands and sends the connect command.
   * @param url `rtmp://host[:port]/app/stream[?query]`, or `rtmps://…`
   * @throws WeirError RTMP_NAME (the URL), RTMP_REJECTED, RTMP_TIMEOUT, RTMP_REDIRECT, RTMP_CLOSED (its cause is the
   *   system's error, if there was one), or what a server breaks of the protocol
   */
  static async connect(url: string, options: RtmpClientOptions = {}): Promise<RtmpClient> {
    const parsed = parseRtmpUrl(url)
    const client = new RtmpClient(parsed, options, await tlsFor(parsed))
    client.#assertOpen()
    await client.#wait('connect')
    return client
  }

  private constructor(url: RtmpUrl, options: RtmpClientOptions, tls: Tls | null) {
    const { timeoutMs = 10_000, maxRedirects = defaultMaxRedirects } = options
    this.#url = url
    this.#options = options
    this.#timeoutMs = timeoutMs
    this.#trail = new RedirectTrail(url, maxRedirects)
    this.#queue = new PacketQueue(receiveLimits, () => this.#link.socket.resume())
    this.#link = this.#linkTo(url, options.tcUrl ?? url.tcUrl, tls)
    this.#obey(options.signal)
  }

  #obey(signal: AbortSignal | undefined): void {
    if (signal === undefined) return
    const abort = (): void => {
      if (this.#connected) this.close()
      else this.destroy(new WeirError('RTMP_CLOSED', 'the client was told to end'))
    }
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    this.#forgetSignal = () => signal.removeEventListener('abort', abort)
  }

  /** What the server told about itself in its answer to connect; its `data` has the ids of SRS and Weir. */
  get information(): AmfRecord | null {
    return this.#information
  }

  /** The server that it is at, `host:port`: another than that of its URL if it was sent elsewhere. */
  get address(): string {
    return addressOf(this.#url)
  }

  get closed(): boolean {
    return this.#end !== null
  }

  get bytesReceived(): number {
    return this.#bytesBefore.received + this.#link.session.bytesReceived
  }

  /** Bytes that were sent or wait to be. */
  get bytesSent(): number {
    return this.#bytesBefore.sent + this.#link.socket.bytesWritten
  }

  /**
   * Begins to publish the URL's stream.
   * @throws WeirError RTMP_REJECTED, RTMP_TIMEOUT, RTMP_REDIRECT, RTMP_CLOSED; RTMP_STATE if it publishes or plays already
   */
  async publish(type: 'live' | 'record' | 'append' = 'live'): Promise<void> {
    this.#assertOpen()
    this.#link.session.publish(this.#url.stream, type)
    this.#purpose = { kind: 'publish', type }
    await this.#wait('publish')
  }

  /**
   * Begins to play the URL's stream. Packets may come before this is done.
   * @throws WeirError RTMP_REJECTED, RTMP_TIMEOUT, RTMP_REDIRECT, RTMP_CLOSED; RTMP_STATE if it publishes or plays already
   */
  async play(parameters: PlayParameters = {}): Promise<void> {
    this.#assertOpen()
    this.#link.session.play(this.#url.stream, parameters)
    this.#purpose = { kind: 'play', parameters }
    await this.#wait('play')
  }

  /**
   * Pauses what is played, or goes on.
   * @param time where the player is, in ms
   */
  pause(paused: boolean, time = 0): void {
    this.#assertOpen()
    this.#link.session.pause(paused, time)
  }

  /**
   * Sends media; the packet is queued in any case.
   * @returns false if the socket is full: wait for {@link drained} before the next
   * @throws WeirError RTMP_STATE unless publishing, RTMP_MESSAGE_SIZE, RTMP_CLOSED or why the client was closed
   */
  send(packet: Packet): boolean {
    this.#assertOpen()
    this.#link.session.sendPacket(packet)
    const unread = this.#link.socket.writableLength
    if (unread > maxSendQueueBytes) {
      this.#finish(new WeirError('RTMP_CLOSED', `the server leaves ${unread} bytes unread`))
      this.#assertOpen()
    }
    return !this.#link.socket.writableNeedDrain
  }

  /** @throws WeirError RTMP_CLOSED or why the client was closed */
  async drained(): Promise<void> {
    this.#assertOpen()
    if (!this.#link.socket.writableNeedDrain) return
    this.#drain ??= Promise.withResolvers()
    await this.#drain.promise
  }

  /** Asks the server for a sign of life: most answer, and {@link bytesReceived} grows. */
  ping(): void {
    this.#assertOpen()
    this.#link.session.sendPing(Math.round(monotonicMs()))
  }

  /** Calls a method of the server without wanting an answer. */
  call(name: string, ...args: AmfValue[]): void {
    this.#assertOpen()
    this.#link.session.sendCall(name, ...args)
  }

  /**
   * The packets that are played, for one reader, unless there is an `onPacket`. Ends with the stream; throws if that
   * ended by an error. A slow reader slows the server down. Whoever leaves the loop early closes the client.
   */
  packets(): AsyncGenerator<Packet, void, undefined> {
    return this.#queue.read()
  }

  /** Ends publish or play in order, sends what is queued (for 5 s at most) and closes. Does nothing if that is done. */
  close(): void {
    this.#finish(null)
  }

  /** Closes at once: what is queued is not sent. */
  destroy(error: Error): void {
    this.#finish(error)
  }

  #linkTo(url: RtmpUrl, tcUrl: string, tls: Tls | null): RtmpLink {
    const options = this.#options
    const settings: LinkSettings = {
      handshake: options.handshake ?? 'complex',
      chunkSize: options.chunkSize ?? 60_000,
      tcUrl,
      connectFields: options.connectFields ?? {},
      connectArgs: options.connectArgs,
      tls: options.tls,
    }
    const link: RtmpLink = new RtmpLink(url, settings, tls, {
      isFull: () => this.#queue.full,
      onConnected: (information) => this.#onConnected(information),
      onStarted: () => this.#onDone(),
      onStatus: (status) => this.#options.onStatus?.(status),
      onPacket: (packet) => this.#receive(packet),
      onCall: (name, args) => this.#options.onCall?.(name, args),
      onRedirect: (redirect) => this.#redirect(redirect),
      onDrain: () => {
        this.#drain?.resolve()
        this.#drain = null
      },
      onEnd: (error) => this.#finish(error),
      onClose: (error) => {
        // Of a server that has sent it elsewhere nothing more is of interest.
        if (link === this.#link && (!this.#moving || this.closed)) this.#onClose(error)
      },
    })
    return link
  }

  #onConnected(information: AmfRecord | null): void {
    this.#connected = true
    this.#information = information
    const { session } = this.#link
    if (this.#purpose === null) this.#onDone()
    else if (this.#purpose.kind === 'publish') session.publish(this.#url.stream, this.#purpose.type)
    else session.play(this.#url.stream, this.#purpose.parameters)
  }

  /** What was asked for is done. */
  #onDone(): void {
    clearTimeout(this.#timer)
    this.#operation?.resolve()
  }

  #onClose(error: WeirError): void {
    this.#finish(error)
    this.#forgetSignal()
    if (this.#connected) this.#options.onClose?.(this.#end?.error ?? null)
  }

  /** The server sends it to another: it begins there with what it was about to do here. */
  #redirect(redirect: Redirect): void {
    try {
      const from = this.#url
      const to = redirectedUrl(from, redirect)
      this.#trail.follow(to)
      this.#url = to
      this.#moving = true
      this.#options.onRedirect?.(addressOf(to))
      // A play may be accepted first, and nobody waits any more.
      if (this.#operation === null) this.#limit('play')
      const tcUrl = to.app === from.app ? (this.#options.tcUrl ?? to.tcUrl) : to.tcUrl
      void this.#goTo(to, tcUrl)
    } catch (error) {
      this.#finish(error instanceof Error ? error : new Error(messageOf(error)))
    }
  }

  async #goTo(url: RtmpUrl, tcUrl: string): Promise<void> {
    const tls = await tlsFor(url)
    if (this.#end !== null) return
    const { session, socket } = this.#link
    const { received, sent } = this.#bytesBefore
    this.#bytesBefore = { received: received + session.bytesReceived, sent: sent + socket.bytesWritten }
    const left = this.#link
    this.#moving = false
    this.#link = this.#linkTo(url, tcUrl, tls)
    left.end()
  }

  #receive(packet: Packet): void {
    if (this.#options.onPacket === undefined) this.#queue.push(packet)
    else this.#options.onPacket(packet)
  }

  /** Waits until the session says that it is done, or the client is closed. */
  async #wait(operation: string): Promise<void> {
    this.#operation = Promise.withResolvers()
    this.#limit(operation)
    try {
      await this.#operation.promise
    } finally {
      this.#operation = null
    }
  }

  /** Ends the client unless what it is about to do is done in time, all redirects together. */
  #limit(operation: string): void {
    clearTimeout(this.#timer)
    const { answerTimeoutMs = this.#timeoutMs } = this.#options
    const ms = operation === 'connect' ? this.#timeoutMs : answerTimeoutMs
    this.#timer = setTimeout(() => {
      const message = `${operation} at ${this.address} took more than ${ms} ms`
      this.#finish(new WeirError('RTMP_TIMEOUT', message))
    }, ms)
  }

  #assertOpen(): void {
    if (this.#end !== null) throw this.#reasonOf(this.#end.error)
  }

  #reasonOf(error: Error | null): Error {
    return error ?? new WeirError('RTMP_CLOSED', 'the client is closed')
  }

  /** The one way to the end, whatever comes first. */
  #finish(error: Error | null): void {
    if (this.#end !== null) return
    this.#end = { error }
    clearTimeout(this.#timer)
    if (error === null) this.#link.end()
    else this.#link.destroy()
    this.#operation?.reject(this.#reasonOf(error))
    this.#drain?.reject(this.#reasonOf(error))
    this.#queue.end(error)
  }
}

function addressOf({ host, port }: RtmpUrl): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
