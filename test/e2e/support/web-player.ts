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
    return new HttpPlayer(await openHttp(url))
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
  #socket: WebSocket | null = null

  /** Resolves when the server has accepted. */
  static async play(url: string): Promise<WebSocketPlayer> {
    const player = new WebSocketPlayer()
    const socket = await openWebSocket(url, (bytes) => player.receive(bytes))
    socket.addEventListener('close', ({ code, reason }) => player.end(`${code} ${reason}`.trim()))
    player.#socket = socket
    return player
  }

  close(): void {
    this.#socket?.close()
  }
}

/** A viewer of any format that keeps the bytes it gets. */
export class RawViewer {
  #bytes = Buffer.alloc(0)

  /** Resolves when the server has answered that the stream follows. */
  static async open(url: string, carrier: 'http' | 'ws' = 'http'): Promise<RawViewer> {
    const viewer = new RawViewer()
    const keep = (bytes: Buffer): void => {
      viewer.#bytes = Buffer.concat([viewer.#bytes, bytes])
    }
    if (carrier === 'ws') await openWebSocket(url, keep)
    else (await openHttp(url)).on('data', keep)
    return viewer
  }

  get bytes(): Buffer {
    return this.#bytes
  }

  async has(bytes: number): Promise<Buffer> {
    await until(`${bytes} bytes at a viewer`, () => this.#bytes.length >= bytes)
    return this.#bytes
  }
}

/** The answer to a GET, if that is 200. */
async function openHttp(url: string): Promise<IncomingMessage> {
  const answer = new Promise<IncomingMessage>((resolve, reject) => {
    get(url, { agent: false }, resolve).on('error', reject)
  })
  const response = await within(`an answer to ${url}`, answer)
  onTestFinished(() => {
    response.destroy()
  })
  if (response.statusCode !== 200) throw new Error(`${url} is answered with ${response.statusCode}`)
  return response
}

/** A WebSocket that the server has accepted. */
async function openWebSocket(url: string, onMessage: (bytes: Buffer) => void): Promise<WebSocket> {
  const socket = new WebSocket(url.replace(/^http/, 'ws'))
  socket.binaryType = 'arraybuffer'
  socket.addEventListener('message', ({ data }) => onMessage(Buffer.from(data as ArrayBuffer)))
  onTestFinished(() => socket.close())
  const open = new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve)
    socket.addEventListener('error', () => reject(new Error(`${url} was refused`)))
  })
  await within(`an answer to ${url}`, open)
  return socket
}
