/** A player of a live stream that is the endless body of an HTTP answer, or comes in WebSocket messages. */
import { createHash, randomBytes } from 'node:crypto'
import { WeirError } from '../../../base/errors.ts'
import type { ClientEvents, Player } from '../client.ts'
import { machineMs } from '../machine-clock.ts'
import { type PlayStatistics, StreamChecker } from '../stream-checker.ts'
import { FlvChecker } from './flv-checker.ts'
import { encodePong, FrameReader } from './frame-reader.ts'
import { HttpConnection } from './http-connection.ts'
import type { MediaBody } from './media-body.ts'
import type { ResponseHead } from './response-reader.ts'
import { StatusError } from './status-error.ts'
import { TsChecker } from './ts-checker.ts'

/** How the body is checked, by the ending of the path. */
export const liveBodies = {
  '.flv': (stream: StreamChecker): MediaBody => new FlvChecker(stream),
  '.ts': (stream: StreamChecker): MediaBody => new TsChecker(stream),
} as const

const ok = 200
const switchingProtocols = 101
/** Appended to the client's key before it is hashed (RFC 6455, 1.3). */
const acceptSuffix = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export class LivePlayer implements Player {
  readonly #url: URL
  readonly #createBody: (stream: StreamChecker) => MediaBody
  readonly #statistics: PlayStatistics
  readonly #events: ClientEvents
  readonly #connection: HttpConnection
  /** What the server has to answer to; null: no WebSocket. */
  readonly #key: string | null
  #frames: FrameReader | null = null
  #stream: StreamChecker | null = null
  #body: MediaBody | null = null
  #failed = false
  /** When the bytes came that are being read. */
  #readMs = 0

  /** @param url `http:`, or `ws:` for WebSocket */
  constructor(
    url: URL,
    createBody: (stream: StreamChecker) => MediaBody,
    statistics: PlayStatistics,
    events: ClientEvents,
  ) {
    this.#url = url
    this.#createBody = createBody
    this.#statistics = statistics
    this.#events = events
    this.#key = url.protocol === 'ws:' ? randomBytes(16).toString('base64') : null
    this.#connection = new HttpConnection({
      onHead: (head) => this.#accept(head),
      onBody: (bytes, start, end) => this.#take(bytes, start, end),
      onEnd: () => this.#fail(new WeirError('HTTP_CLOSED', 'the server ended the stream')),
      onBroken: (error) => {
        this.#statistics.framingErrors += 1
        this.#fail(error)
      },
      onFailure: (error) => this.#fail(error),
    })
  }

  get bytes(): number {
    return this.#connection.bytes
  }

  start(): void {
    this.#stream = new StreamChecker(this.#statistics, machineMs())
    this.#body = this.#createBody(this.#stream)
    const upgrade = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n`
    const headers = this.#key === null ? '' : `${upgrade}Sec-WebSocket-Key: ${this.#key}\r\n`
    this.#connection.get({ url: this.#url, headers, isTimed: 'head' })
  }

  finish(): boolean {
    return this.#stream?.finish() ?? false
  }

  close(): void {
    this.#connection.close()
  }

  #accept({ status, headers }: ResponseHead): void {
    if (status !== (this.#key === null ? ok : switchingProtocols)) {
      this.#fail(new StatusError(status, this.#url))
      return
    }
    if (this.#key !== null) {
      const accept = createHash('sha1').update(`${this.#key}${acceptSuffix}`).digest('base64')
      if (headers.get('sec-websocket-accept') !== accept) {
        throw new WeirError('HTTP_WEBSOCKET', 'the server does not answer to the key')
      }
      this.#frames = new FrameReader({
        onData: (bytes, start, end) => this.#body?.push(bytes, start, end, this.#readMs),
        onPing: (payload) => this.#connection.send(encodePong(payload)),
        onClose: () => this.#fail(new WeirError('HTTP_CLOSED', 'the server ended the stream')),
      })
    }
    this.#events.onUp()
  }

  #take(bytes: Buffer, start: number, end: number): void {
    if (this.#failed) return
    this.#readMs = machineMs()
    if (this.#frames === null) this.#body?.push(bytes, start, end, this.#readMs)
    else this.#frames.push(bytes, start, end)
  }

  #fail(error: Error): void {
    if (this.#failed) return
    this.#failed = true
    this.#connection.destroy()
    this.#events.onFailure(error)
  }
}
