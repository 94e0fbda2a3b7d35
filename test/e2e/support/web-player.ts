import { get, type IncomingMessage } from 'node:http'
import { onTestFinished } from 'vitest'
import { FlvReader } from '../../../src/media/flv/reader.ts'
import { packetOf } from '../../../src/rtmp/session-media.ts'
import { framesOf, type Seen, seen } from './played.ts'
import { until, within } from './until.ts'

/** What a player over HTTP or WebSocket does alike: it reads FLV and keeps what it gets. */
class WebPlayer {
  readonly packets: Seen[] = []
  readonly #reader = new FlvReader()
  readonly #ended = Promise.withResolvers<string>()
  #isEnded = false

  /** What the file header announces. */
  get content() {
    return this.#reader.content
  }

  /** Audio and video frames, without the headers. */
  get frames(): Seen[] {
    return framesOf(this.packets)
  }

  /** Resolves when the server has ended the stream, with how. */
  get ended(): Promise<string> {
    return within('the stream to end', this.#ended.promise)
  }

  /** Whether what came so far ends within a tag. */
  get cutOff(): boolean {
    return this.#reader.unfinished
  }

  /** Waits until it has that many frames. */
  has(count: number): Promise<Seen[]> {
    return this.#waitFor(`${count} frames`, () => this.frames.length >= count && this.frames)
  }

  /** Waits for that many further frames. */
  hasMore(count: number): Promise<Seen[]> {
    return this.has(this.frames.length + count)
  }

  /** Waits for a frame with this content. */
  hasFrame({ md5 }: Seen): Promise<Seen> {
    return this.#waitFor('a certain frame', () => this.packets.find((packet) => packet.md5 === md5))
  }

  protected receive(bytes: Buffer): void {
    for (const { type, timestamp, body } of this.#reader.push(bytes)) {
      const packet = packetOf({ type, timestamp, streamId: 0, body })
      if (packet !== null) this.packets.push(seen(packet))
    }
  }

  protected end(how: string): void {
    this.#isEnded = true
    this.#ended.resolve(how)
  }

  #waitFor<T>(what: string, check: () => T | undefined | false): Promise<T> {
    return until(`${what} at a player`, () => {
      const found = check()
      if (!found && this.#isEnded) throw new Error(`the stream ended after ${this.frames.length} frames`)
      return found
    })
  }
}

/** A player of HTTP-FLV. */
export class HttpPlayer extends WebPlayer {
  readonly response: IncomingMessage

  /** Resolves when the server has answered that the stream follows. */
  static async play(url: string): Promise<HttpPlayer> {
    const player = await HttpPlayer.connect(url)
    player.read()
    return player
  }

  /** As {@link play}, but it reads nothing until it is told to. */
  static async connect(url: string): Promise<HttpPlayer> {
    const answer = new Promise<IncomingMessage>((resolve, reject) => {
      get(url, { agent: false }, resolve).on('error', reject)
    })
    const response = await within(`an answer to ${url}`, answer)
    onTestFinished(() => {
      response.destroy()
    })
    if (response.statusCode !== 200) throw new Error(`${url} is answered with ${response.statusCode}`)
    return new HttpPlayer(response)
  }

  private constructor(response: IncomingMessage) {
    super()
    this.response = response
  }

  read(): void {
    this.response.on('data', (bytes: Buffer) => this.receive(bytes))
    this.response.on('end', () => this.end('end'))
    this.response.on('error', (error) => this.end(error.message))
  }

  close(): void {
    this.response.destroy()
  }
}

/** A player of WebSocket-FLV: Node's own WebSocket. */
export class WebSocketPlayer extends WebPlayer {
  readonly socket: WebSocket
  /** How many messages came. */
  messages = 0

  /** Resolves when the server has accepted. */
  static async play(url: string): Promise<WebSocketPlayer> {
    const socket = new WebSocket(url.replace(/^http/, 'ws'))
    socket.binaryType = 'arraybuffer'
    const player = new WebSocketPlayer(socket)
    onTestFinished(() => socket.close())
    const open = new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve)
      socket.addEventListener('error', () => reject(new Error(`${url} was refused`)))
    })
    await within(`an answer to ${url}`, open)
    return player
  }

  private constructor(socket: WebSocket) {
    super()
    this.socket = socket
    socket.addEventListener('message', ({ data }) => {
      this.messages += 1
      this.receive(Buffer.from(data as ArrayBuffer))
    })
    socket.addEventListener('close', ({ code, reason }) => this.end(`${code} ${reason}`.trim()))
  }

  close(): void {
    this.socket.close()
  }
}
