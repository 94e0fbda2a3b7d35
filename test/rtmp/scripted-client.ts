import { AmfEcmaArray, AmfObject, type AmfValue, amfObject } from '../../src/media/amf-value.ts'
import { decodeAmf0 } from '../../src/media/amf0-reader.ts'
import { encodeAmf0 } from '../../src/media/amf0-writer.ts'
import { ChunkReader } from '../../src/rtmp/chunk-reader.ts'
import { encodeMessage } from '../../src/rtmp/chunk-writer.ts'
import { decodeCommand } from '../../src/rtmp/command.ts'
import { decodeControl } from '../../src/rtmp/control.ts'
import type { RtmpMessage } from '../../src/rtmp/message.ts'
import type { ServerSessionHandler } from '../../src/rtmp/server-handler.ts'
import { ServerSession, type ServerSessionOptions } from '../../src/rtmp/server-session.ts'

/** AMF values with the members of objects as plain records, to compare with literals. */
export type Plain = unknown

export function plain(value: AmfValue): Plain {
  if (value instanceof AmfObject || value instanceof AmfEcmaArray) {
    return Object.fromEntries([...value].map(([key, member]) => [key, plain(member)]))
  }
  return Array.isArray(value) ? value.map(plain) : value
}

/** A message for reading in a test: `[name, message stream, transaction id, ...arguments]` or `[control, value…]`. */
export function readable(message: RtmpMessage): Plain[] {
  switch (message.type) {
    case 17:
    case 20: {
      const { name, transactionId, args } = decodeCommand(message)
      return [name, message.streamId, transactionId, ...args.map(plain)]
    }
    case 18:
      return ['data', message.streamId, ...decodeAmf0(message.body).map(plain)]
    case 8:
    case 9:
      return [
        message.type === 8 ? 'audio' : 'video',
        message.streamId,
        message.timestamp,
        message.body.toString('hex'),
      ]
    default: {
      const { kind, ...rest } = decodeControl(message)
      return [kind, ...Object.values(rest)]
    }
  }
}

/**
 * Decodes what one end wrote. The chunk reader obeys Set Chunk Size without delivering it, so that is looked for
 * in the bytes: sessions hand out whole messages, and this one fits in one chunk.
 */
export class Transcript {
  #messages: Plain[][] = []
  readonly #reader = new ChunkReader(
    { maxMessageSize: 2 ** 24, maxPartialBytes: 2 ** 24, maxChunkStreams: 100 },
    (message) => this.#messages.push(readable(message)),
  )

  push(bytes: Buffer): void {
    if (bytes[0] === 2 && bytes[7] === 1) this.#messages.push(['set-chunk-size', bytes.readUInt32BE(12)])
    this.#reader.push(bytes)
  }

  take(): Plain[][] {
    const messages = this.#messages
    this.#messages = []
    return messages
  }
}

export const serverOptions: ServerSessionOptions = {
  chunkSize: 60_000,
  windowAckSize: 2_500_000,
  maxMessageSize: 1024 * 1024,
  maxChunkStreams: 32,
  identity: { srs_server: 'Weir', srs_id: 107 },
}

const bigLimits = 128

/** A client that says what a test has it say, and a server session that it talks to. */
export class ScriptedClient {
  readonly session: ServerSession
  /** What the session told its handler, in order. */
  readonly events: Plain[][] = []
  readonly #transcript = new Transcript()
  #handshakeBytes = 1 + 2 * 1536
  /** `accept`: every request is accepted at once; `wait`: the test gives the verdicts. */
  readonly #verdict: 'accept' | 'wait'

  constructor(verdict: 'accept' | 'wait' = 'accept', options: Partial<ServerSessionOptions> = {}) {
    this.#verdict = verdict
    this.session = new ServerSession({ ...serverOptions, ...options }, this.#handler())
  }

  #handler(): ServerSessionHandler {
    const accept = this.#verdict === 'accept'
    return {
      send: (bytes) => this.#receive(bytes),
      onHandshake: (kind) => this.events.push(['handshake', kind]),
      onConnect: (request) => {
        const { args, ...rest } = request
        this.events.push(['connect', { ...rest, args: plain(args) }])
        if (accept) this.session.acceptConnect()
      },
      onPublish: (request) => {
        this.events.push(['publish', request])
        if (accept) this.session.acceptPublish(request.streamId)
      },
      onPlay: (request) => {
        this.events.push(['play', request])
        if (accept) this.session.acceptPlay(request.streamId)
      },
      onUnpublish: (streamId) => this.events.push(['unpublish', streamId]),
      onStop: (streamId) => this.events.push(['stop', streamId]),
      onPause: (streamId, paused) => this.events.push(['pause', streamId, paused]),
      onPacket: (streamId, packet) => {
        const { type, flags, timestamp, body } = packet
        this.events.push(['packet', streamId, type, flags, timestamp, body.toString('hex')])
      },
      onCall: (name, args) => this.events.push(['call', name, ...args.map(plain)]),
    }
  }

  #receive(bytes: Buffer): void {
    const skipped = Math.min(this.#handshakeBytes, bytes.length)
    this.#handshakeBytes -= skipped
    if (skipped < bytes.length) this.#transcript.push(bytes.subarray(skipped))
  }

  /** What the server sent since the last call. */
  answers(): Plain[][] {
    return this.#transcript.take()
  }

  /** What the handler was told since the last call. */
  told(): Plain[][] {
    return this.events.splice(0)
  }

  /** The simple handshake. */
  handshake(): this {
    const c1 = Buffer.alloc(1536, 0x5a)
    c1.fill(0, 0, 8)
    this.session.push(Buffer.concat([Buffer.of(3), c1, Buffer.alloc(1536)]))
    return this
  }

  /** An AMF0 command, in the chunks of 128 bytes that a client begins with. */
  command(streamId: number, name: string, transactionId: number, ...args: AmfValue[]): this {
    this.session.push(commandBytes(streamId, name, transactionId, ...args))
    return this
  }

  message(type: number, streamId: number, timestamp: number, body: Buffer): this {
    this.session.push(encodeMessage({ chunkStreamId: 6, type, streamId, timestamp }, body, bigLimits))
    return this
  }

  /** Handshake and connect, as ffmpeg does it; what it leads to is passed over. */
  connected(): this {
    this.handshake().command(0, 'connect', 1, connectObject)
    this.told()
    this.answers()
    return this
  }
}

/** What ffmpeg sends in connect when it publishes. */
export const connectObject = amfObject({
  app: 'live',
  type: 'nonprivate',
  flashVer: 'FMLE/3.0 (compatible; Lavf60.16.100)',
  tcUrl: 'rtmp://127.0.0.1:1935/live',
})

export function commandBytes(
  streamId: number,
  name: string,
  transactionId: number,
  ...args: AmfValue[]
): Buffer {
  const body = encodeAmf0(name, transactionId, ...args)
  return encodeMessage({ chunkStreamId: 3, type: 20, streamId, timestamp: 0 }, body, 128)
}
