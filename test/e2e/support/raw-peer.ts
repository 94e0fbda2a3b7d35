import { createCipheriv } from 'node:crypto'
import { createConnection, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { type AmfValue, amfObject } from '../../../src/media/amf-value.ts'
import { encodeAmf0 } from '../../../src/media/amf0-writer.ts'
import { commandChunkStream, encodeMessage } from '../../../src/rtmp/chunk-writer.ts'
import { amf0CommandType, videoMessageType } from '../../../src/rtmp/message.ts'
import type { LogLine } from './log.ts'
import type { Server } from './server.ts'
import { until, within } from './until.ts'

/** Bytes of C1, S1, C2 and S2 (RTMP 1.0, 5.2). */
const handshakePart = 1536

/** Until it is told otherwise each side sends chunks of this size (5.4.1). */
const defaultChunkSize = 128

/** A peer that sends what a test gives it, whether it is RTMP or not. */
export class RawPeer {
  readonly socket: Socket
  readonly #server: Server
  /** By which the log knows it. */
  readonly #port: number
  #received = Buffer.alloc(0)

  static async connect(server: Server): Promise<RawPeer> {
    const socket = createConnection(server.port, '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    // To be thrown out is what these peers are for; the log tells why.
    socket.on('error', () => {})
    await within('a connection', new Promise<void>((resolve) => socket.once('connect', resolve)))
    return new RawPeer(server, socket)
  }

  /** A peer that has shaken hands. */
  static async shakeHands(server: Server): Promise<RawPeer> {
    const peer = await RawPeer.connect(server)
    peer.write(Buffer.concat([Buffer.of(3), Buffer.alloc(handshakePart)]))
    await peer.has(1 + 2 * handshakePart)
    peer.write(peer.received.subarray(1, 1 + handshakePart))
    return peer
  }

  /** A peer whose connect command was accepted. */
  static async connectApp(server: Server): Promise<RawPeer> {
    const peer = await RawPeer.shakeHands(server)
    peer.command('connect', 1, amfObject({ app: 'live', tcUrl: `rtmp://127.0.0.1:${server.port}/live` }))
    await until('the answer to connect', () => peer.received.includes('NetConnection.Connect.Success'))
    return peer
  }

  private constructor(server: Server, socket: Socket) {
    this.#server = server
    this.#port = socket.localPort ?? 0
    this.socket = socket
    socket.on('data', (bytes) => {
      this.#received = Buffer.concat([this.#received, bytes])
    })
  }

  get received(): Buffer {
    return this.#received
  }

  async has(bytes: number): Promise<void> {
    await until(`${bytes} bytes from the server`, () => this.#received.length >= bytes)
  }

  write(bytes: Buffer | string): boolean {
    return this.socket.write(bytes)
  }

  command(name: string, transactionId: number, ...args: AmfValue[]): void {
    const body = encodeAmf0(name, transactionId, ...args)
    const header = { chunkStreamId: commandChunkStream, type: amf0CommandType, streamId: 0, timestamp: 0 }
    this.write(encodeMessage(header, body, defaultChunkSize))
  }

  /** Waits until the server has closed the connection, and returns what its log says of that. */
  async closed(): Promise<LogLine> {
    const { cid } = await this.#server.waitForLog({ msg: 'accepted', port: this.#port })
    return this.#server.waitForLog({ msg: 'closed', cid: cid! })
  }
}

/** Bytes that look random and are the same for the same seed. */
export function garbage(seed: number, length: number): Buffer {
  const key = Buffer.alloc(16)
  key.writeUInt32BE(seed)
  return createCipheriv('aes-128-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
}

/** The header of a chunk that begins a video message (5.3.1.2.1), on any chunk stream. */
export function chunkHeader(chunkStreamId: number, messageBytes: number): Buffer {
  const id =
    chunkStreamId < 64 ? [chunkStreamId] : [1, (chunkStreamId - 64) & 0xff, (chunkStreamId - 64) >> 8]
  const header = Buffer.alloc(11)
  header.writeUIntBE(messageBytes, 3, 3)
  header.writeUInt8(videoMessageType, 6)
  return Buffer.concat([Buffer.from(id), header])
}
