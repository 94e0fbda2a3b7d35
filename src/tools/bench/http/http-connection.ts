/** A connection over which a client asks for one thing after the other, and which is made anew when it has to be. */
import { createConnection, type Socket } from 'node:net'
import { WeirError } from '../../../base/errors.ts'
import { connectTimeoutMs } from '../client.ts'
import { readBuffer } from '../read-buffer.ts'
import { type ResponseHandler, ResponseReader } from './response-reader.ts'

export interface HttpConnectionHandler extends ResponseHandler {
  /** The server broke the protocol, or what the handler looks for in a body is not there. */
  onBroken(error: WeirError): void
  /** The server cannot be reached, does not answer, or ended the connection within an answer. */
  onFailure(error: Error): void
}

export interface HttpRequest {
  readonly url: URL
  /** Lines of further headers, each with CR LF at its end. */
  readonly headers?: string
  /** Whether all of the answer has to come in the time that clients have to come up, or only its head. */
  readonly isTimed: 'whole' | 'head'
}

const defaultPort = 80

/** Closed, or after one of the handler's last two events, it is of no use any more. */
export class HttpConnection {
  readonly #handler: HttpConnectionHandler
  #reader: ResponseReader
  #socket: Socket | null = null
  /** Host and port that the socket leads to. */
  #origin = ''
  /** What is not answered to its end. */
  #request: HttpRequest | null = null
  /** Answers that came over this socket. */
  #answers = 0
  #deadline: NodeJS.Timeout | undefined
  #bytes = 0
  #closed = false

  constructor(handler: HttpConnectionHandler) {
    this.#handler = handler
    this.#reader = this.#newReader()
  }

  /** Bytes received so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** Sends a request. The one before it has been answered. */
  get(request: HttpRequest): void {
    this.#request = request
    const { url } = request
    this.#deadline = setTimeout(() => {
      const text = `${url.pathname} was not answered within ${connectTimeoutMs} ms`
      this.#fail(new WeirError('HTTP_TIMEOUT', text))
    }, connectTimeoutMs)
    if (this.#socket === null || this.#origin !== url.host) this.#connect(url)
    this.#write(request)
  }

  /** Sends bytes over a connection that was switched to another protocol. */
  send(bytes: Buffer): void {
    this.#socket?.write(bytes)
  }

  /** Takes leave. What the server still sends is read on: closing at once would answer it with a reset. */
  close(): void {
    this.#end()
    this.#socket?.end()
  }

  /** Ends it at once. */
  destroy(): void {
    this.#end()
    this.#socket?.destroy()
  }

  #newReader(): ResponseReader {
    return new ResponseReader({
      onHead: (head) => {
        if (this.#request?.isTimed === 'head') clearTimeout(this.#deadline)
        this.#handler.onHead(head)
      },
      onBody: (bytes, start, end) => {
        if (!this.#closed) this.#handler.onBody(bytes, start, end)
      },
      onEnd: () => {
        if (this.#closed) return
        clearTimeout(this.#deadline)
        this.#request = null
        this.#answers += 1
        this.#handler.onEnd()
      },
    })
  }

  #connect({ host, hostname, port }: URL): void {
    this.#socket?.destroy()
    this.#reader = this.#newReader()
    this.#origin = host
    this.#answers = 0
    const socket: Socket = createConnection({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? defaultPort : Number(port),
      noDelay: true,
      onread: {
        buffer: readBuffer,
        callback: (length) => this.#read(socket, readBuffer.subarray(0, length)),
      },
    })
    this.#socket = socket
    let cause: Error | null = null
    socket.on('error', (error) => {
      cause = error
    })
    socket.on('close', () => this.#onClose(socket, cause))
  }

  #write({ url, headers = '' }: HttpRequest): void {
    const { host, pathname, search } = url
    const line = `GET ${pathname}${search} HTTP/1.1\r\nHost: ${host}\r\n`
    this.#socket?.write(`${line}User-Agent: weir-bench\r\n${headers}\r\n`, 'latin1')
  }

  /** @returns true: to go on reading */
  #read(socket: Socket, bytes: Buffer): boolean {
    this.#bytes += bytes.length
    if (this.#closed || socket !== this.#socket) return true
    try {
      this.#reader.push(bytes)
    } catch (error) {
      // The server broke the protocol; anything else is a bug of ours.
      if (!(error instanceof WeirError)) throw error
      this.destroy()
      this.#handler.onBroken(error)
    }
    return true
  }

  #onClose(socket: Socket, cause: Error | null): void {
    if (this.#closed || socket !== this.#socket) return
    this.#socket = null
    const request = this.#request
    if (request === null) return
    // A server may end an idle connection while the next request is on its way (RFC 9112, 9.3.1 and 9.5).
    if (this.#reader.isBetween && this.#answers > 0) {
      this.#connect(request.url)
      this.#write(request)
      return
    }
    if (cause === null && this.#reader.finish()) return
    this.#fail(cause ?? new WeirError('HTTP_CLOSED', 'the server closed the connection'))
  }

  #fail(error: Error): void {
    if (this.#closed) return
    this.destroy()
    this.#handler.onFailure(error)
  }

  #end(): void {
    this.#closed = true
    clearTimeout(this.#deadline)
  }
}
