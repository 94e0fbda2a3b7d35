import { Socket, type SocketConstructorOpts } from 'node:net'
import { Packr } from 'msgpackr'
import { codeOf, WeirError } from '../base/errors.ts'
import type { PacketType } from '../media/packet.ts'
import { FrameDecoder, mediaOverhead, writeControlFrame, writeMediaFrame } from './frame.ts'

/** What a {@link Channel} tells its owner. */
export interface ChannelHandler<In> {
  onMessage(message: In): void
  /** The body is a view that is valid during the call only. */
  onMedia(source: number, type: PacketType, flags: number, timestamp: number, body: Buffer): void
  /** Once, whoever ended it. `error` is null when the other end closed in good order. */
  onClose(error: Error | null): void
}

/** Control bytes that may wait for a peer that does not read; beyond it the channel closes (IPC_OVERFLOW). */
const maxQueuedControlBytes = 32 * 1024 * 1024

/** A write buffer that a burst made larger than this is given back after the burst. */
const maxIdleBufferBytes = 256 * 1024

/** Records would make messages depend on earlier ones; maps keep each frame readable alone. */
const packr = new Packr({ useRecords: false, variableMapSize: true })

/**
 * One buffer for the reads of all connecting channels of this process: a read's callback runs before the next
 * read begins, and whatever is kept is copied out.
 */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)

/**
 * A framed, bounded, two-way channel between two processes. Control messages go out at the end of the
 * event-loop turn, together; media goes out when its sender calls {@link Channel.flush}, so that the sender
 * decides how many wake-ups it costs the other side.
 */
export class Channel<Out extends object, In extends object> {
  readonly #socket: Socket
  readonly #handler: ChannelHandler<In>
  #out = Buffer.allocUnsafeSlow(4 * 1024)
  #outBytes = 0
  #flushScheduled = false
  #closed = false
  readonly #receive: (bytes: Buffer) => void
  readonly #flushNow = (): void => {
    this.#flushScheduled = false
    this.flush()
  }

  /** @param socket an accepted or inherited socket; for a connecting one use {@link Channel.connect} */
  constructor(socket: Socket, handler: ChannelHandler<In>) {
    this.#socket = socket
    this.#handler = handler
    const decoder = new FrameDecoder({
      onControl: (payload) => handler.onMessage(decodeControl<In>(payload)),
      onMedia: (source, type, flags, timestamp, body) => {
        handler.onMedia(source, type, flags, timestamp, body)
      },
    })
    this.#receive = (bytes) => {
      if (this.#closed) return
      try {
        decoder.push(bytes)
      } catch (error) {
        if (!(error instanceof WeirError)) throw error
        this.close(error)
      }
    }
    // With `onread` no data event is ever emitted: listening for it costs nothing there.
    socket.on('data', this.#receive)
    socket.on('error', (error) => this.close(error))
    socket.on('close', () => this.close(null))
  }

  /** Connects to a Unix socket and reads through the process's one read buffer. */
  static connect<Out extends object, In extends object>(
    path: string,
    handler: ChannelHandler<In>,
  ): Channel<Out, In> {
    const socket = new Socket({
      onread: {
        buffer: readBuffer,
        callback: (size: number, buffer: Uint8Array) => {
          channel.#receive((buffer as Buffer).subarray(0, size))
          return true
        },
      },
    } as SocketConstructorOpts)
    const channel = new Channel<Out, In>(socket, handler)
    socket.connect({ path })
    return channel
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Bytes that the other end has not taken yet. */
  get queuedBytes(): number {
    return this.#socket.writableLength + this.#outBytes
  }

  /** Queues a control message; it leaves at the end of this event-loop turn. */
  send(message: Out): void {
    if (this.#closed) return
    const payload = packr.pack(message) as Buffer
    this.#reserve(payload.length + 5)
    this.#outBytes = writeControlFrame(this.#out, this.#outBytes, payload)
    if (this.queuedBytes > maxQueuedControlBytes) {
      this.close(
        new WeirError('IPC_OVERFLOW', `${this.queuedBytes} bytes wait for a process that does not read`),
      )
      return
    }
    if (!this.#flushScheduled) {
      this.#flushScheduled = true
      setImmediate(this.#flushNow)
    }
  }

  /** Queues a media frame; it leaves with the next {@link flush}. The body is copied. */
  sendMedia(source: number, type: PacketType, flags: number, timestamp: number, body: Buffer): void {
    if (this.#closed) return
    this.#reserve(mediaOverhead + body.length)
    this.#outBytes = writeMediaFrame(this.#out, this.#outBytes, source, type, flags, timestamp, body)
  }

  /** Hands everything queued to the kernel in one write. */
  flush(): void {
    if (this.#outBytes === 0 || this.#closed) return
    const bytes = Buffer.allocUnsafe(this.#outBytes)
    this.#out.copy(bytes, 0, 0, this.#outBytes)
    this.#outBytes = 0
    if (this.#out.length > maxIdleBufferBytes) this.#out = Buffer.allocUnsafeSlow(4 * 1024)
    this.#socket.write(bytes)
  }

  /** Sends what is queued, then closes; the other end sees an orderly close. */
  end(): void {
    this.flush()
    this.#socket.end()
  }

  /** Closes at once and tells the handler, once. */
  close(error: Error | null): void {
    if (this.#closed) return
    this.#closed = true
    this.#socket.destroy()
    this.#out = Buffer.alloc(0)
    this.#outBytes = 0
    this.#handler.onClose(error)
  }

  #reserve(bytes: number): void {
    const needed = this.#outBytes + bytes
    if (needed <= this.#out.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#out.length * 2))
    this.#out.copy(larger, 0, 0, this.#outBytes)
    this.#out = larger
  }
}

function decodeControl<In>(payload: Buffer): In {
  let message: unknown
  try {
    message = packr.unpack(payload)
  } catch (error) {
    throw new WeirError('IPC_FRAME', `control message does not decode (${codeOf(error)})`, error)
  }
  if (typeof message !== 'object' || message === null || typeof (message as { t?: unknown }).t !== 'string') {
    throw new WeirError('IPC_FRAME', 'control message without a type')
  }
  return message as In
}
