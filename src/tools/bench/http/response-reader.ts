/** Reads the answers on one HTTP connection (RFC 9112), in place: bodies are not copied. */
import { WeirError } from '../../../base/errors.ts'

export interface ResponseHead {
  readonly status: number
  /** By names in lower case. Of a header that comes several times, the last. */
  readonly headers: ReadonlyMap<string, string>
}

/** Called inside {@link ResponseReader.push}; what a handler throws comes out there. */
export interface ResponseHandler {
  onHead(head: ResponseHead): void
  /** A piece of the body: `bytes[start, end)`, valid during the call only. */
  onBody(bytes: Buffer, start: number, end: number): void
  /** The answer is complete. */
  onEnd(): void
}

/** What the next bytes are. */
type State = 'head' | 'body' | 'body until the end' | 'chunk size' | 'chunk' | 'chunk end' | 'trailers'

const maxHeadBytes = 16 * 1024
const headEnd = Buffer.from('\r\n\r\n')
const lineFeed = 0x0a
const empty = Buffer.alloc(0)
/** Of a chunk: 2^32-1 bytes. */
const maxSizeDigits = 8
const switchingProtocols = 101

/** Answers without a body whatever their headers say (RFC 9110, 6.4.1). */
function isBodiless(status: number): boolean {
  return status === 204 || status === 304
}

export class ResponseReader {
  readonly #handler: ResponseHandler
  #state: State = 'head'
  /** The beginning of a head, a chunk's size or a trailer whose end has not come. */
  #line: Buffer = empty
  /** Bytes of the body or chunk that have not come. */
  #missing = 0

  constructor(handler: ResponseHandler) {
    this.#handler = handler
  }

  /** Whether no byte of a further answer has come. */
  get isBetween(): boolean {
    return this.#state === 'head' && this.#line.length === 0
  }

  /**
   * Takes the next bytes.
   * @throws WeirError HTTP_RESPONSE when they are no HTTP
   */
  push(bytes: Buffer): void {
    let at = 0
    while (at < bytes.length) at = this.#read(bytes, at)
  }

  /** The connection has ended. @returns whether that was the end of an answer */
  finish(): boolean {
    if (this.#state !== 'body until the end') return false
    this.#end()
    return true
  }

  /** @returns the offset behind what was read */
  #read(bytes: Buffer, at: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes, at)
      case 'body':
      case 'chunk':
        return this.#readBody(bytes, at)
      case 'body until the end':
        this.#handler.onBody(bytes, at, bytes.length)
        return bytes.length
      case 'chunk size':
      case 'chunk end':
      case 'trailers':
        return this.#readLine(bytes, at)
    }
  }

  #readHead(bytes: Buffer, at: number): number {
    const before = this.#line.length
    const text = before === 0 ? bytes.subarray(at) : Buffer.concat([this.#line, bytes.subarray(at)])
    const end = text.indexOf(headEnd)
    if ((end < 0 ? text.length : end) > maxHeadBytes) {
      throw new WeirError('HTTP_RESPONSE', `the head of an answer is longer than ${maxHeadBytes} bytes`)
    }
    if (end < 0) {
      this.#line = before === 0 ? Buffer.from(text) : text
      return bytes.length
    }
    this.#line = empty
    this.#begin(parseHead(text.toString('latin1', 0, end)))
    return at + end + headEnd.length - before
  }

  #begin(head: ResponseHead): void {
    const { status, headers } = head
    const length = headers.get('content-length')
    if (status === switchingProtocols) this.#state = 'body until the end'
    else if (isBodiless(status)) this.#missing = 0
    else if (headers.get('transfer-encoding')?.toLowerCase().endsWith('chunked')) this.#state = 'chunk size'
    else if (length === undefined) this.#state = 'body until the end'
    else {
      if (!/^\d{1,15}$/.test(length)) throw new WeirError('HTTP_RESPONSE', `a Content-Length of "${length}"`)
      this.#missing = Number(length)
      if (this.#missing > 0) this.#state = 'body'
    }
    const isWhole = this.#state === 'head'
    this.#handler.onHead(head)
    if (isWhole) this.#end()
  }

  #readBody(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#missing)
    this.#missing -= end - at
    this.#handler.onBody(bytes, at, end)
    if (this.#missing === 0) {
      if (this.#state === 'chunk') this.#state = 'chunk end'
      else this.#end()
    }
    return end
  }

  #readLine(bytes: Buffer, at: number): number {
    const end = bytes.indexOf(lineFeed, at)
    const stop = end < 0 ? bytes.length : end + 1
    const line =
      this.#line.length === 0
        ? bytes.subarray(at, stop)
        : Buffer.concat([this.#line, bytes.subarray(at, stop)])
    if (line.length > maxHeadBytes) throw new WeirError('HTTP_RESPONSE', 'a chunk without an end of its line')
    this.#line = end < 0 ? Buffer.from(line) : empty
    if (end >= 0) this.#takeLine(line.toString('latin1', 0, line.length - 1).replace(/\r$/, ''))
    return stop
  }

  #takeLine(line: string): void {
    if (this.#state === 'trailers') {
      if (line === '') this.#end()
      return
    }
    if (this.#state === 'chunk end') {
      if (line !== '') throw new WeirError('HTTP_RESPONSE', 'a chunk does not end where it says')
      this.#state = 'chunk size'
      return
    }
    const size = line.split(';')[0]!.trim()
    if (!/^[0-9a-f]+$/i.test(size) || size.length > maxSizeDigits) {
      throw new WeirError('HTTP_RESPONSE', `a chunk of size "${size.slice(0, 20)}"`)
    }
    this.#missing = Number.parseInt(size, 16)
    this.#state = this.#missing === 0 ? 'trailers' : 'chunk'
  }

  #end(): void {
    this.#state = 'head'
    this.#handler.onEnd()
  }
}

function parseHead(text: string): ResponseHead {
  const [first, ...lines] = text.split('\r\n')
  const [, status] = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(first!) ?? []
  if (status === undefined)
    throw new WeirError('HTTP_RESPONSE', `an answer begins with "${first!.slice(0, 40)}"`)
  const headers = new Map<string, string>()
  for (const line of lines) {
    const colon = line.indexOf(':')
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim())
  }
  return { status: Number(status), headers }
}
