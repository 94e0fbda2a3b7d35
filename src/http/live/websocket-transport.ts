import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { monotonicMs } from '../../base/clock.ts'
import { WeirError } from '../../base/errors.ts'
import { plainIp } from '../../base/plain-ip.ts'
import { closeSoon } from '../../worker/close-soon.ts'
import { type Transport, type TransportOwner, watchSocket } from './transport.ts'
import { acceptKey, closeCode, encodeClose, encodeFrame, isKey, opcode } from './websocket.ts'
import { WebSocketReader } from './websocket-reader.ts'

/** How often a viewer is asked whether it lives, and how long it may take to answer, in milliseconds. */
const pingIntervalMs = 30_000
const pongTimeoutMs = 60_000

/** Pings of a viewer that are answered between two sweeps; the others are not. */
const maxPongsPerSweep = 10

/** The same ping for all. */
const ping = encodeFrame(opcode.ping, Buffer.alloc(0))

/** A stream as WebSocket messages (RFC 6455). A viewer has nothing to say but pongs, pings and goodbye. */
export class WebSocketTransport implements Transport {
  readonly socket: Socket
  readonly ip: string
  readonly port: number
  readonly #key: string
  readonly #head: Buffer
  readonly #bytesBefore: { read: number; written: number }
  #owner: TransportOwner | null = null
  #accepted = false
  #saidGoodbye = false
  #pingedAtMs = monotonicMs()
  #heardAtMs = monotonicMs()
  #pongs = 0

  /**
   * @param request whose handshake is in order, see {@link handshakeProblem}
   * @param head what came behind it
   */
  constructor(request: IncomingMessage, socket: Socket, head: Buffer) {
    this.socket = socket
    this.ip = plainIp(socket.remoteAddress)
    this.port = socket.remotePort ?? 0
    this.#key = request.headers['sec-websocket-key'] ?? ''
    this.#head = head
    this.#bytesBefore = { read: socket.bytesRead, written: socket.bytesWritten }
  }

  get bytesIn(): number {
    return this.socket.bytesRead - this.#bytesBefore.read
  }

  get bytesOut(): number {
    return this.socket.bytesWritten - this.#bytesBefore.written
  }

  start(owner: TransportOwner): void {
    this.#owner = owner
    watchSocket(this.socket, owner)
    const reader = new WebSocketReader({
      onPing: (payload) => this.#answerPing(payload),
      onPong: () => {},
      onClose: () => {
        this.#sayGoodbye(closeCode.normal, '')
        owner.onGone(null)
      },
    })
    const receive = (bytes: Buffer): void => {
      try {
        // A client that speaks before it was accepted breaks the protocol, and what it says may be long.
        if (!this.#accepted) throw new WeirError('HTTP_WEBSOCKET', 'the client did not wait for the answer')
        this.#heardAtMs = monotonicMs()
        reader.push(bytes)
      } catch (error) {
        if (!(error instanceof WeirError)) throw error
        this.#sayGoodbye(closeCode.protocolError, error.message)
        owner.onGone(error)
      }
    }
    this.socket.on('data', receive)
    if (this.#head.length > 0) receive(this.#head)
  }

  refuse(status: number): void {
    answerUpgrade(this.socket, status)
  }

  accept(_contentType: string, first: Buffer): Socket {
    this.#accepted = true
    this.#heardAtMs = monotonicMs()
    const head = [
      'HTTP/1.1 101 Switching Protocols',
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Accept: ${acceptKey(this.#key)}`,
    ]
    this.socket.cork()
    this.socket.write(`${head.join('\r\n')}\r\n\r\n`)
    if (first.length > 0) this.socket.write(first)
    this.socket.uncork()
    return this.socket
  }

  end(reason: string): void {
    this.#sayGoodbye(closeCode.goingAway, reason)
    closeSoon(this.socket)
  }

  sweep(nowMs: number): void {
    this.#pongs = 0
    if (!this.#accepted) return
    // One that is behind has its pings waiting behind the stream; whether it makes progress is for others to see.
    if (this.socket.writableNeedDrain) this.#heardAtMs = nowMs
    else if (nowMs - this.#heardAtMs > pongTimeoutMs) {
      this.#owner?.onGone(new WeirError('PLAYER_STALLED', `no pong in ${pongTimeoutMs} ms`))
    } else if (nowMs - this.#pingedAtMs > pingIntervalMs) {
      this.#pingedAtMs = nowMs
      this.#write(ping)
    }
  }

  #answerPing(payload: Buffer): void {
    this.#pongs += 1
    if (this.#pongs > maxPongsPerSweep || this.socket.writableNeedDrain) return
    this.#write(encodeFrame(opcode.pong, payload))
  }

  /** A close frame; only the first one counts. */
  #sayGoodbye(code: number, reason: string): void {
    if (!this.#accepted || this.#saidGoodbye) return
    this.#saidGoodbye = true
    this.#write(encodeClose(code, reason))
  }

  #write(bytes: Buffer): void {
    if (this.socket.writable) this.socket.write(bytes)
  }
}

/**
 * What is wrong with a client's handshake (RFC 6455, 4.2.1).
 * @returns the status that says so, or null
 */
export function handshakeProblem({ method, headers }: IncomingMessage): number | null {
  if (method !== 'GET' || headers.upgrade?.toLowerCase() !== 'websocket') return 400
  if (headers['sec-websocket-version'] !== '13') return 426
  return isKey(headers['sec-websocket-key']) ? null : 400
}

/** Answers a request for another protocol with nothing but a status, and closes. */
export function answerUpgrade(socket: Socket, status: number): void {
  if (socket.destroyed) return
  const body = `${status} ${STATUS_CODES[status]}\n`
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${body.length}`,
    'Connection: close',
    ...(status === 426 ? ['Upgrade: websocket', 'Sec-WebSocket-Version: 13'] : []),
    ...(status === 503 ? ['Retry-After: 5'] : []),
    ...(status === 401 ? ['WWW-Authenticate: Bearer'] : []),
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`)
  closeSoon(socket)
}
