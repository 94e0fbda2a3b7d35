/** A player over RTMP that keeps nothing of what it gets, but checks it. */
import { createConnection, type Socket } from 'node:net'
import { WeirError } from '../../base/errors.ts'
import { parseRtmpUrl, type RtmpUrl } from '../../client/rtmp-url.ts'
import { splitAggregate } from '../../rtmp/aggregate.ts'
import { commandChunkStream, encodeMessage } from '../../rtmp/chunk-writer.ts'
import { ClientSession } from '../../rtmp/client-session.ts'
import { decodeControl, encodeAcknowledgement } from '../../rtmp/control.ts'
import { aggregateType, type RtmpMessage, windowAckSizeType } from '../../rtmp/message.ts'
import { ChunkChecker } from './chunk-checker.ts'
import { type ClientEvents, connectTimeoutMs, type Player } from './client.ts'
import { machineMs } from './machine-clock.ts'
import { readBuffer } from './read-buffer.ts'
import { checkedBytes, type PlayStatistics, StreamChecker } from './stream-checker.ts'

/** S0, S1 and S2 (RTMP 1.0, section 5.2.1). */
const handshakeBytes = 1 + 1536 + 1536
/** What the session reads with: it is not told of what the server sets. */
const sessionChunkSize = 128
const defaultWindowAckSize = 2_500_000

export class RtmpPlayer implements Player {
  readonly #url: RtmpUrl
  readonly #statistics: PlayStatistics
  readonly #events: ClientEvents
  /** Does all of the dialogue. The checker leaves media out of what it gets. */
  readonly #session: ClientSession
  readonly #checker: ChunkChecker
  #socket: Socket | null = null
  #stream: StreamChecker | null = null
  #deadline: NodeJS.Timeout | undefined
  #closed = false
  #bytes = 0
  /** When the bytes came that are being read. */
  #readMs = 0
  #handshakeLeft = handshakeBytes
  #windowAckSize = defaultWindowAckSize
  #acknowledgedBytes = 0

  /** @throws WeirError RTMP_NAME */
  constructor(url: string, statistics: PlayStatistics, events: ClientEvents) {
    this.#url = parseRtmpUrl(url)
    this.#statistics = statistics
    this.#events = events
    this.#checker = new ChunkChecker(checkedBytes, {
      onMedia: (type, timestamp, bytes, start, end) =>
        this.#stream?.onMedia(type, timestamp, bytes, start, end, this.#readMs),
      onMessage: (message) => this.#receive(message),
    })
    this.#session = new ClientSession(
      {},
      {
        send: (bytes) => this.#socket?.write(bytes),
        onConnected: () => this.#session.play(this.#url.stream),
        onPlayStart: () => {
          clearTimeout(this.#deadline)
          this.#events.onUp()
        },
        onPublishStart: () => {},
        onPacket: () => {},
        onRejected: (code, text) => this.#fail(new WeirError('RTMP_REJECTED', `${code}: ${text}`)),
        onEnded: ({ code, description }) =>
          this.#fail(new WeirError('RTMP_CLOSED', `${code}: ${description}`)),
      },
    )
  }

  get bytes(): number {
    return this.#bytes
  }

  start(): void {
    const { host, port, app, tcUrl } = this.#url
    this.#stream = new StreamChecker(this.#statistics, machineMs())
    this.#deadline = setTimeout(() => {
      this.#fail(new WeirError('RTMP_TIMEOUT', `play took more than ${connectTimeoutMs} ms`))
    }, connectTimeoutMs)
    const socket = createConnection({
      host,
      port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: (length) => this.#read(readBuffer.subarray(0, length)) },
    })
    this.#socket = socket
    socket.on('connect', () => this.#session.connect({ tcUrl, app }))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new WeirError('RTMP_CLOSED', 'the server closed the connection')))
  }

  finish(): boolean {
    return this.#stream?.finish() ?? false
  }

  close(): void {
    if (this.#closed) return
    this.#session.close()
    this.#end()
    // What the server still sends is read on: closing at once would answer it with a reset.
    this.#socket?.end()
  }

  /** @returns true: to go on reading */
  #read(bytes: Buffer): boolean {
    this.#bytes += bytes.length
    if (this.#closed) return true
    this.#readMs = machineMs()
    try {
      const greeting = Math.min(this.#handshakeLeft, bytes.length)
      if (greeting > 0) {
        this.#handshakeLeft -= greeting
        this.#session.push(bytes.subarray(0, greeting))
      }
      if (greeting < bytes.length) this.#checker.push(bytes.subarray(greeting))
    } catch (error) {
      // The server broke the protocol; anything else is a bug of ours.
      if (!(error instanceof WeirError)) throw error
      this.#statistics.framingErrors += 1
      this.#fail(error)
    }
    this.#acknowledge()
    return true
  }

  #receive(message: RtmpMessage): void {
    if (message.type === aggregateType) {
      for (const { type, timestamp, body } of splitAggregate(message)) {
        this.#stream?.onMedia(type, timestamp, body, 0, body.length, this.#readMs)
      }
      return
    }
    if (message.type === windowAckSizeType) this.#setWindow(message)
    const header = { ...message, chunkStreamId: commandChunkStream }
    this.#session.push(encodeMessage(header, message.body, sessionChunkSize))
  }

  #setWindow(message: RtmpMessage): void {
    const control = decodeControl(message)
    if (control.kind === 'window-ack-size' && control.size > 0) this.#windowAckSize = control.size
  }

  /** The session would count only what it is given. */
  #acknowledge(): void {
    if (this.#bytes - this.#acknowledgedBytes < this.#windowAckSize || this.#closed) return
    this.#acknowledgedBytes = this.#bytes
    this.#socket?.write(encodeAcknowledgement(this.#bytes, sessionChunkSize))
  }

  #fail(error: Error): void {
    if (this.#closed) return
    this.#end()
    this.#socket?.destroy()
    this.#events.onFailure(error)
  }

  #end(): void {
    this.#closed = true
    clearTimeout(this.#deadline)
  }
}
