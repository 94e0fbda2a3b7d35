import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { WeirError } from '../../base/errors.ts'
import { plainIp } from '../../base/plain-ip.ts'
import { socketHighWaterMark } from '../../live/viewer.ts'
import { adoptSocket } from '../../worker/adopt-socket.ts'
import { closeSoon } from '../../worker/close-soon.ts'
import { type Transport, type TransportOwner, watchSocket } from './transport.ts'

/** Bytes that a client may send after its request; nothing is done with them. */
const maxInputBytes = 64 * 1024

/**
 * A stream as the body of an HTTP answer. It has no length and no chunks: it ends with its connection, which every
 * player understands, and which lets all of them share the same bytes. Once the answer has begun, the connection
 * is taken from Node's HTTP server, with its parser, request and response: the stream is written to the socket itself.
 */
export class HttpTransport implements Transport {
  readonly ip: string
  readonly port: number
  readonly #onTaken: (socket: Socket) => void
  /** Until the answer has begun. */
  #response: ServerResponse | null
  /** From then on. */
  #socket: Socket | null = null
  #owner: TransportOwner | null = null
  #bytesReadBefore = 0
  #inputBytes = 0

  /** @param onTaken gets the connection when it leaves the HTTP server */
  constructor(request: IncomingMessage, response: ServerResponse, onTaken: (socket: Socket) => void) {
    this.#response = response
    this.#onTaken = onTaken
    this.ip = plainIp(request.socket.remoteAddress)
    this.port = request.socket.remotePort ?? 0
  }

  get bytesIn(): number {
    return this.#socket === null ? 0 : this.#socket.bytesRead - this.#bytesReadBefore
  }

  get bytesOut(): number {
    return this.#socket?.bytesWritten ?? 0
  }

  start(owner: TransportOwner): void {
    this.#owner = owner
    this.#response?.once('close', () => {
      if (this.#socket === null) owner.onGone(null)
    })
  }

  refuse(status: number): void {
    if (this.#response !== null) answerStatus(this.#response, status)
  }

  accept(contentType: string, first: Buffer): Socket {
    const head = this.#headOf(contentType)
    const socket = this.#takeSocket()
    socket.cork()
    socket.write(head)
    if (first.length > 0) socket.write(first)
    socket.uncork()
    return socket
  }

  end(): void {
    if (this.#socket !== null) closeSoon(this.#socket)
  }

  sweep(): void {}

  #headOf(contentType: string): string {
    const cors = this.#response?.getHeader('Access-Control-Allow-Origin')
    const lines = [
      'HTTP/1.1 200 OK',
      `Content-Type: ${contentType}`,
      'Cache-Control: no-cache, no-store',
      'Connection: close',
      `Date: ${new Date().toUTCString()}`,
      ...(cors === undefined ? [] : [`Access-Control-Allow-Origin: ${cors}`]),
    ]
    return `${lines.join('\r\n')}\r\n\r\n`
  }

  /**
   * Takes the connection from the HTTP server. What a client sends now would else be parsed as further requests, without
   * end; and what Node keeps for a request costs twice as much memory as the rest of a viewer.
   * @throws WeirError HTTP_REQUEST when another answer goes first
   */
  #takeSocket(): Socket {
    const accepted = this.#response?.socket
    // A pipelined request has no socket to answer on before the answers ahead of it are done.
    if (!accepted || accepted.writableLength > 0 || this.#owner === null) {
      throw new WeirError('HTTP_REQUEST', 'a live stream cannot be asked for behind another request')
    }
    const owner = this.#owner
    // Node's parser reads below the socket until somebody listens for data.
    accepted.on('data', () => {})
    const socket = adoptSocket(accepted, socketHighWaterMark, (bytes) => {
      this.#inputBytes += bytes.length
      if (this.#inputBytes > maxInputBytes) {
        owner.onGone(new WeirError('HTTP_REQUEST', 'the client sends data while it gets a stream'))
      }
    })
    this.#socket = socket
    this.#bytesReadBefore = socket.bytesRead
    this.#response = null
    this.#onTaken(socket)
    if (socket !== accepted) accepted.destroy()
    watchSocket(socket, owner)
    return socket
  }
}

/** Sends a client to another URL, for this time. */
export function answerRedirect(response: ServerResponse, location: string): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(302, { Location: location, 'Content-Length': 0, 'Cache-Control': 'no-cache, no-store' })
  response.end()
}

/** Answers a request with nothing but a status, in a word for people. */
export function answerStatus(response: ServerResponse, status: number): void {
  if (response.headersSent || response.destroyed) return
  const body = `${status} ${STATUS_CODES[status]}\n`
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': body.length,
    'Cache-Control': 'no-cache, no-store',
    ...(status === 503 ? { 'Retry-After': '5' } : {}),
    ...(status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {}),
  })
  response.end(body)
}
