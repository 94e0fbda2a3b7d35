/**
 * An RTMP client over TCP or TLS: publishes or plays one stream. What librtmp is to C.
 *
 * ```ts
 * const client = await RtmpClient.connect('rtmp://localhost/live/one')
 * await client.play()
 * for await (const packet of client.packets()) console.log(packet.timestamp, packet.body.length)
 * ```
 */
import { createConnection, isIP, type Socket } from 'node:net'
import { messageOf, WeirError } from '../base/errors.ts'
import type { AmfRecord, AmfValue } from '../media/amf-value.ts'
import type { Packet } from '../media/packet.ts'
import type { PlayParameters } from '../rtmp/client-handler.ts'
import { ClientSession } from '../rtmp/client-session.ts'
import type { HandshakeKind } from '../rtmp/handshake.ts'
import type { Status } from '../rtmp/status.ts'
import { PacketQueue } from './packet-queue.ts'
import { parseRtmpUrl, type RtmpUrl } from './rtmp-url.ts'

type Tls = typeof import('node:tls')

export interface RtmpClientOptions {
  /** For connect (TCP, handshake and command together), and for publish and play each; 10,000 by default. */
  readonly timeoutMs?: number
  /** What to offer, `complex` by default; a server that knows only the simple one is accepted anyway. */
  readonly handshake?: HandshakeKind
  /** Certificates (PEM) to trust instead of the system's, and whether one that cannot be verified ends it (it does). */
  readonly tls?: { readonly ca?: string | Buffer; readonly rejectUnauthorized?: boolean }
  /** Another tcUrl than that of the URL: an edge passes its client's on. */
  readonly tcUrl?: string
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
const readBufferBytes = 16 * 1024

/** How long the last bytes may take after {@link RtmpClient.close}, in ms. */
const lingerMs = 5000

export class RtmpClient {
  readonly #url: RtmpUrl
  readonly #options: RtmpClientOptions
  readonly #timeoutMs: number
  readonly #session: ClientSession
  readonly #socket: Socket
  readonly #queue: PacketQueue
  /** The connect, publish or play that somebody waits for. */
  #operation: PromiseWithResolvers<void> | null = null
  #drain: PromiseWithResolvers<void> | null = null
  #information: AmfRecord | null = null
  #connected = false
  #socketError: Error | null = null
  /** Set once the client is closed, with the reason unless that was in order. */
  #end: { readonly error: Error | null } | null = null

  /**
   * Connects, shakes hands and sends the connect command.
   * @param url `rtmp://host[:port]/app/stream[?query]`, or `rtmps://…`
   * @throws WeirError RTMP_NAME (the URL), RTMP_REJECTED, RTMP_TIMEOUT, RTMP_CLOSED (its cause is the system's
   *   error, if there was one), or what a server breaks of the protocol
   */
  static async connect(url: string, options: RtmpClientOptions = {}): Promise<RtmpClient> {
    const parsed = parseRtmpUrl(url)
    // Node's TLS takes a megabyte of a process: only who uses it shall have it.
    const tls = parsed.secure ? await import('node:tls') : null
    const client = new RtmpClient(parsed, options, tls)
    client.#assertOpen()
    await client.#wait('connect')
    return client
  }

  private constructor(url: RtmpUrl, options: RtmpClientOptions, tls: Tls | null) {
    const { timeoutMs = 10_000, handshake = 'complex', chunkSize = 60_000 } = options
    this.#url = url
    this.#options = options
    this.#timeoutMs = timeoutMs
    this.#queue = new PacketQueue(receiveLimits, () => this.#socket.resume())
    this.#session = new ClientSession(
      { handshake, chunkSize },
      {
        send: (bytes) => this.#socket.write(bytes),
        onConnected: (information) => {
          this.#connected = true
          this.#information = information
          this.#operation?.resolve()
        },
        onPublishStart: () => this.#operation?.resolve(),
        onPlayStart: () => this.#operation?.resolve(),
        onStatus: (status) => this.#options.onStatus?.(status),
        onPacket: (packet) => this.#receive(packet),
        onRejected: (code, description) => this.#finish(rejection(code, description)),
        onEnded: ({ level, code, description }) =>
          this.#finish(level === 'error' ? rejection(code, description) : null),
        onCall: (name, args) => this.#options.onCall?.(name, args),
      },
    )
    this.#socket = this.#open(tls)
    const { signal } = options
    if (signal === undefined) return
    const abort = (): void => {
      if (this.#connected) this.close()
      else this.destroy(new WeirError('RTMP_CLOSED', 'the client was told to end'))
    }
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    this.#socket.once('close', () => signal.removeEventListener('abort', abort))
  }

  /** What the server told about itself in its answer to connect; its `data` has the ids of SRS and Weir. */
  get information(): AmfRecord | null {
    return this.#information
  }

  get closed(): boolean {
    return this.#end !== null
  }

  get bytesReceived(): number {
    return this.#session.bytesReceived
  }

  /** Bytes that were sent or wait to be. */
  get bytesSent(): number {
    return this.#socket.bytesWritten
  }

  /**
   * Begins to publish the URL's stream.
   * @throws WeirError RTMP_REJECTED, RTMP_TIMEOUT, RTMP_CLOSED; RTMP_STATE if it publishes or plays already
   */
  async publish(type: 'live' | 'record' | 'append' = 'live'): Promise<void> {
    this.#assertOpen()
    this.#session.publish(this.#url.stream, type)
    await this.#wait('publish')
  }

  /**
   * Begins to play the URL's stream. Packets may come before this is done.
   * @throws WeirError RTMP_REJECTED, RTMP_TIMEOUT, RTMP_CLOSED; RTMP_STATE if it publishes or plays already
   */
  async play(parameters: PlayParameters = {}): Promise<void> {
    this.#assertOpen()
    this.#session.play(this.#url.stream, parameters)
    await this.#wait('play')
  }

  /**
   * Pauses what is played, or goes on.
   * @param time where the player is, in ms
   */
  pause(paused: boolean, time = 0): void {
    this.#assertOpen()
    this.#session.pause(paused, time)
  }

  /**
   * Sends media; the packet is queued in any case.
   * @returns false if the socket is full: wait for {@link drained} before the next
   * @throws WeirError RTMP_STATE unless publishing, RTMP_MESSAGE_SIZE, RTMP_CLOSED or why the client was closed
   */
  send(packet: Packet): boolean {
    this.#assertOpen()
    this.#session.sendPacket(packet)
    const unread = this.#socket.writableLength
    if (unread > maxSendQueueBytes) {
      this.#finish(new WeirError('RTMP_CLOSED', `the server leaves ${unread} bytes unread`))
      this.#assertOpen()
    }
    return !this.#socket.writableNeedDrain
  }

  /** @throws WeirError RTMP_CLOSED or why the client was closed */
  async drained(): Promise<void> {
    this.#assertOpen()
    if (!this.#socket.writableNeedDrain) return
    this.#drain ??= Promise.withResolvers()
    await this.#drain.promise
  }

  /** Calls a method of the server without wanting an answer. */
  call(name: string, ...args: AmfValue[]): void {
    this.#assertOpen()
    this.#session.sendCall(name, ...args)
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

  #open(tls: Tls | null): Socket {
    const socket = tls === null ? this.#openPlain() : this.#openSecure(tls)
    socket.on(tls === null ? 'connect' : 'secureConnect', () => {
      const { tcUrl = this.#url.tcUrl, connectFields = {}, connectArgs } = this.#options
      this.#session.connect({ tcUrl, app: this.#url.app, fields: connectFields, args: connectArgs })
    })
    socket.on('drain', () => {
      this.#drain?.resolve()
      this.#drain = null
    })
    socket.on('error', (error) => {
      this.#socketError = error
    })
    socket.on('close', () => {
      this.#finish(this.#closedBySocket())
      if (this.#connected) this.#options.onClose?.(this.#end?.error ?? null)
    })
    return socket
  }

  #openPlain(): Socket {
    const { host, port } = this.#url
    const buffer = Buffer.allocUnsafeSlow(readBufferBytes)
    // A buffer of our own halves the cost of a wake-up against ordinary `data` events.
    const onread = { buffer, callback: (length: number) => this.#read(buffer.subarray(0, length)) }
    return createConnection({ host, port, noDelay: true, onread })
  }

  #openSecure(tls: Tls): Socket {
    const { host, port } = this.#url
    // An IP address is no name that a server could have several certificates for (RFC 6066, 3).
    const name = isIP(host) === 0 ? { servername: host } : {}
    const socket = tls.connect({ host, port, ...name, ...this.#options.tls })
    socket.setNoDelay(true)
    socket.on('data', (bytes) => {
      if (!this.#read(bytes)) socket.pause()
    })
    return socket
  }

  /** @returns whether to go on reading */
  #read(bytes: Buffer): boolean {
    try {
      this.#session.push(bytes)
    } catch (error) {
      this.#finish(error instanceof Error ? error : new Error(messageOf(error)))
    }
    return this.closed || !this.#queue.full
  }

  #receive(packet: Packet): void {
    if (this.#options.onPacket === undefined) this.#queue.push(packet)
    else this.#options.onPacket(packet)
  }

  /** Waits until the session says that it is done, or the client is closed. */
  async #wait(operation: string): Promise<void> {
    this.#operation = Promise.withResolvers()
    const timer = setTimeout(() => {
      const message = `${operation} at ${this.#url.host}:${this.#url.port} took more than ${this.#timeoutMs} ms`
      this.#finish(new WeirError('RTMP_TIMEOUT', message))
    }, this.#timeoutMs)
    try {
      await this.#operation.promise
    } finally {
      clearTimeout(timer)
      this.#operation = null
    }
  }

  #assertOpen(): void {
    if (this.#end !== null) throw this.#reasonOf(this.#end.error)
  }

  #reasonOf(error: Error | null): Error {
    return error ?? new WeirError('RTMP_CLOSED', 'the client is closed')
  }

  #closedBySocket(): WeirError {
    const server = `${this.#url.host}:${this.#url.port}`
    if (this.#socketError === null) return new WeirError('RTMP_CLOSED', `${server} closed the connection`)
    return new WeirError('RTMP_CLOSED', `${server}: ${messageOf(this.#socketError)}`, this.#socketError)
  }

  /** The one way to the end, whatever comes first. */
  #finish(error: Error | null): void {
    if (this.#end !== null) return
    this.#end = { error }
    this.#session.close()
    if (error === null) this.#endSocket()
    else this.#socket.destroy()
    this.#operation?.reject(this.#reasonOf(error))
    this.#drain?.reject(this.#reasonOf(error))
    this.#queue.end(error)
  }

  /**
   * Ends our direction and reads on until the server ends its own: closing at once would answer what it still sends
   * with a reset, and that takes from it what it has not read yet.
   */
  #endSocket(): void {
    this.#socket.end()
    this.#socket.resume()
    const timer = setTimeout(() => this.#socket.destroy(), lingerMs)
    this.#socket.once('close', () => clearTimeout(timer))
  }
}

function rejection(code: string, description: string): WeirError {
  return new WeirError('RTMP_REJECTED', `${code}: ${description}`)
}
