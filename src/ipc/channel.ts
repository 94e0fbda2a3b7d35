import { Socket, type SocketConstructorOpts } from 'node:net'
import { Packr } from 'msgpackr/pack'
import { codeOf, WeirError } from '../base/errors.ts'
import { noteBuffer, releaseBuffer } from '../base/external-memory.ts'
import type { PacketType } from '../media/packet.ts'
import { FrameDecoder, mediaOverhead, writeControlFrame, writeMediaFrame, writeMediaHeader } from './frame.ts'

/** What a {@link Channel} tells its owner. */
export interface ChannelHandler<In> {
  onMessage(message: In): void
  /** Unless `isOwn`, the body is a view that is valid during the call only; see {@link FrameHandler}. */
  onMedia(
    source: number,
    type: PacketType,
    flags: number,
    timestamp: number,
    body: Buffer,
    isOwn: boolean,
  ): void
  /** What was queued has left: a sender that stopped for it may go on. */
  onDrain?(): void
  /** Once, whoever ended it. `error` is null when the other end closed in good order. */
  onClose(error: Error | null): void
}

/**
 * Bytes that may wait for a peer that does not read; beyond it the channel closes (IPC_OVERFLOW). Senders of
 * media drop frames long before, see {@link Channel.queuedBytes}.
 */
const maxQueuedBytes = 32 * 1024 * 1024

/** A write buffer begins with this. */
const initialBufferBytes = 4 * 1024

/** A body from this size on is written from where it lies: copying it would cost more than a write of its own. */
const minSharedBytes = 32 * 1024

/** A write buffer that a burst made larger than this is given back after the burst. */
const maxIdleBufferBytes = 256 * 1024

/** Records would make messages depend on earlier ones; maps keep each frame readable alone. */
const packr = new Packr({ useRecords: false, variableMapSize: true })

/**
 * One buffer for the reads of all connecting channels of this process: a read's callback runs before the next
 * read begins, and whatever is kept is copied out.
 */
const readBuffer = Buffer.allocUnsafeSlow(256 * 1024)

/** `ending`: what is queued still leaves, nothing more is taken. */
type State = 'open' | 'ending' | 'closed'

/**
 * A framed, bounded, two-way channel between two processes. Control messages go out at the end of the
 * event-loop turn, together; media goes out when its sender calls {@link Channel.flush}, so that the sender
 * decides how many wake-ups it costs the other side.
 */
export class Channel<Out extends object, In extends object> {
  readonly #socket: Socket
  readonly #handler: ChannelHandler<In>
  #out = Buffer.allocUnsafeSlow(initialBufferBytes)
  #outBytes = 0
  #flushScheduled = false
  #state: State = 'open'
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
      onControl: (payload) => {
        if (!this.closed) handler.onMessage(decodeControl<In>(payload))
      },
      onMedia: (source, type, flags, timestamp, body, isOwn) => {
        if (!this.closed) handler.onMedia(source, type, flags, timestamp, body, isOwn)
      },
    })
    this.#receive = (bytes) => {
      if (this.closed) return
      try {
        decoder.push(bytes)
      } catch (error) {
        if (!(error instanceof WeirError)) throw error
        this.close(error)
      }
    }
    // With `onread` no data event is ever emitted: listening for it costs nothing there.
    socket.on('data', this.#receive)
    socket.on('drain', () => handler.onDrain?.())
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
    return this.#state === 'closed'
  }

  /** Bytes that the other end has not taken yet. */
  get queuedBytes(): number {
    return this.#socket.writableLength + this.#outBytes
  }

  /** Queues a control message; it leaves at the end of this event-loop turn. */
  send(message: Out): void {
    if (this.#state !== 'open') return
    const payload = packr.pack(message) as Buffer
    this.#reserve(payload.length + 5)
    this.#outBytes = writeControlFrame(this.#out, this.#outBytes, payload)
    if (this.#closeIfOverfull() || this.#flushScheduled) return
    this.#flushScheduled = true
    setImmediate(this.#flushNow)
  }

  /**
   * Queues a media frame; it leaves with the next {@link flush}, a large one at once. The body must not change any
   * more: a large one is not copied.
   * @param given the sender has no further use for the body: the memory of a large one is given back once it has left
   */
  sendMedia(
    source: number,
    type: PacketType,
    flags: number,
    timestamp: number,
    body: Buffer,
    given = false,
  ): void {
    if (this.#state !== 'open' || this.#closeIfOverfull()) return
    if (body.length >= minSharedBytes) {
      this.#reserve(mediaOverhead)
      this.#outBytes = writeMediaHeader(
        this.#out,
        this.#outBytes,
        source,
        type,
        flags,
        timestamp,
        body.length,
      )
      this.flush()
      if (given) this.#socket.write(body, (error) => error || releaseBuffer(body))
      else this.#socket.write(body)
      return
    }
    this.#reserve(mediaOverhead + body.length)
    this.#outBytes = writeMediaFrame(this.#out, this.#outBytes, source, type, flags, timestamp, body)
  }

  /** Hands everything queued to the kernel in one write. */
  flush(): void {
    if (this.#outBytes === 0 || this.#state !== 'open') return
    this.#socket.write(this.#takeOut())
  }

  /** Sends what is queued, then closes; the other end sees an orderly close. */
  end(): void {
    if (this.#state !== 'open') return
    this.flush()
    this.#state = 'ending'
    this.#socket.end()
  }

  /** Closes at once and tells the handler, once. */
  close(error: Error | null): void {
    if (this.closed) return
    this.#state = 'closed'
    this.#socket.destroy()
    this.#out = Buffer.alloc(0)
    this.#outBytes = 0
    this.#handler.onClose(error)
  }

  /** @returns whether too much waited, so that the channel is closed now */
  #closeIfOverfull(): boolean {
    const waiting = this.queuedBytes
    if (waiting <= maxQueuedBytes) return false
    this.close(new WeirError('IPC_OVERFLOW', `${waiting} bytes wait for a process that does not read`))
    return true
  }

  /** What is queued, in memory of its own. A buffer that a burst made large is given away rather than copied. */
  #takeOut(): Buffer {
    const length = this.#outBytes
    this.#outBytes = 0
    noteBuffer(length)
    if (this.#out.length > maxIdleBufferBytes) {
      const given = this.#out.subarray(0, length)
      this.#out = Buffer.allocUnsafeSlow(initialBufferBytes)
      return given
    }
    const bytes = Buffer.allocUnsafe(length)
    this.#out.copy(bytes, 0, 0, length)
    return bytes
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
