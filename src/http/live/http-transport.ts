import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { WeirError } from '../../base/errors.ts'
import { plainIp } from '../../base/plain-ip.ts'
import { closeSoon, type Transport, type TransportOwner, watchSocket } from './transport.ts'

/** Bytes that a client may send after its request; nothing is done with them. */
const maxInputBytes = 64 * 1024

/**
 * A stream as the body of an HTTP answer. It has no length and no chunks: it ends with its connection, which every
 * player understands, and which lets all of them share the same bytes. Once the answer has begun, the stream is
 * written to the socket itself, past Node's HTTP layer.
 */
export class HttpTransport implements Transport {
  readonly socket: Socket
  readonly ip: string
  readonly port: number
  readonly #response: ServerResponse
  #owner: TransportOwner | null = null
  #accepted = false
  #bytesBefore = { read: 0, written: 0 }
  #inputBytes = 0

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.socket = request.socket
    this.#response = response
    this.ip = plainIp(request.socket.remoteAddress)
    this.port = request.socket.remotePort ?? 0
  }

  get bytesIn(): number {
    return this.#accepted ? this.socket.bytesRead - this.#bytesBefore.read : 0
  }

  get bytesOut(): number {
    return this.#accepted ? this.socket.bytesWritten - this.#bytesBefore.written : 0
  }

  start(owner: TransportOwner): void {
    this.#owner = owner
    this.#response.once('close', () => {
      if (!this.#accepted) owner.onGone(null)
    })
  }

  refuse(status: number): void {
    answerStatus(this.#response, status)
  }

  accept(contentType: string, first: Buffer): void {
    // A pipelined request has no socket to answer on before the answers ahead of it are done.
    if (this.#response.socket !== this.socket || this.#owner === null) {
      throw new WeirError('HTTP_REQUEST', 'a live stream cannot be asked for behind another request')
    }
    this.#accepted = true
    this.#bytesBefore = { read: this.socket.bytesRead, written: this.socket.bytesWritten }
    this.#takeSocket(this.#owner)
    const cors = this.#response.getHeader('Access-Control-Allow-Origin')
    const head = [
      'HTTP/1.1 200 OK',
      `Content-Type: ${contentType}`,
      'Cache-Control: no-cache, no-store',
      'Connection: close',
      `Date: ${new Date().toUTCString()}`,
      ...(cors === undefined ? [] : [`Access-Control-Allow-Origin: ${cors}`]),
    ]
    this.socket.cork()
    this.socket.write(`${head.join('\r\n')}\r\n\r\n`)
    if (first.length > 0) this.socket.write(first)
    this.socket.uncork()
  }

  end(): void {
    closeSoon(this.socket)
  }

  sweep(): void {}

  /**
   * Takes the socket from Node's HTTP parser: a listener for `data` makes Node hand the bytes to listeners, and the
   * parser's own listener is removed. What a client sends now would else be parsed as further requests, without end.
   */
  #takeSocket(owner: TransportOwner): void {
    const parsers = this.socket.listeners('data')
    this.socket.on('data', (bytes: Buffer) => {
      this.#inputBytes += bytes.length
      if (this.#inputBytes > maxInputBytes) {
        owner.onGone(new WeirError('HTTP_REQUEST', 'the client sends data while it gets a stream'))
      }
    })
    for (const parser of parsers) this.socket.off('data', parser as (bytes: Buffer) => void)
    watchSocket(this.socket, owner)
  }
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
  })
  response.end(body)
}
