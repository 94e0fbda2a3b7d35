/**
 * What both ends of an RTMP connection do below commands and media: handshake, chunks, acknowledgements and pings
 * (RTMP 1.0, sections 5.2 to 5.4 and 7.1.7).
 */
import type { AmfValue } from '../media/amf-value.ts'
import { encodeAmf0 } from '../media/amf0-writer.ts'
import type { Packet } from '../media/packet.ts'
import { type ChunkLimits, ChunkReader } from './chunk-reader.ts'
import { dataChunkStream, encodeMessage } from './chunk-writer.ts'
import { type Command, encodeCommand } from './command.ts'
import {
  type ControlMessage,
  decodeControl,
  encodeAcknowledgement,
  encodePingRequest,
  encodePingResponse,
  encodeSetChunkSize,
  encodeWindowAckSize,
} from './control.ts'
import type { HandshakeKind, HandshakeResult } from './handshake.ts'
import {
  acknowledgementType,
  amf0DataType,
  type RtmpMessage,
  setPeerBandwidthType,
  userControlType,
  windowAckSizeType,
} from './message.ts'
import { encodePacket } from './session-media.ts'

/** The part of either handshake that the transport drives. */
export interface Handshake {
  readonly done: boolean
  /** Known once it is done. */
  readonly kind: HandshakeKind | null
  push(bytes: Buffer): HandshakeResult
}

export interface TransportHandler {
  send(bytes: Buffer): void
  /** The handshake is complete; messages may be written from now on. */
  onHandshake(kind: HandshakeKind): void
  /** A control message that the transport leaves to the session: the user control events of streams. */
  onControl(control: ControlMessage): void
  /** Any message that is no protocol or user control message. */
  onMessage(message: RtmpMessage): void
}

/** Chunk size of both directions until it is set (RTMP 1.0, section 5.4.1). */
const initialChunkSize = 128

/** Bytes in, messages out, and the other way round; with the bookkeeping that needs no decision of the session. */
export class SessionTransport {
  readonly #handler: TransportHandler
  readonly #reader: ChunkReader
  /** `null` once it is done. */
  #handshake: Handshake | null
  #closed = false

  #chunkSize = initialChunkSize
  /** Bytes after which we acknowledge: as the peer announced, else as it is usual. */
  #receiveWindow: number
  /** What our last Window Acknowledgement Size said; 0 before the first. */
  #announcedWindow = 0
  #bytesReceived = 0
  #bytesReceivedAtLastAck = 0
  #bytesAcknowledged = 0
  #lastPong: number | null = null

  /** @param windowAckSize bytes after which a peer that never announced its own window gets an acknowledgement */
  constructor(handshake: Handshake, limits: ChunkLimits, windowAckSize: number, handler: TransportHandler) {
    this.#handshake = handshake
    this.#reader = new ChunkReader(limits, (message) => this.#receive(message))
    this.#receiveWindow = windowAckSize
    this.#handler = handler
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Bytes of payload in the chunks that are written. */
  get chunkSize(): number {
    return this.#chunkSize
  }

  /** All bytes pushed so far, the handshake's too: that is how librtmp and SRS count for acknowledgements. */
  get bytesReceived(): number {
    return this.#bytesReceived
  }

  /** Bytes of ours that the peer acknowledged; counts on where the 32-bit number on the wire wraps. */
  get bytesAcknowledged(): number {
    return this.#bytesAcknowledged
  }

  /** The timestamp of the ping that the peer answered last. */
  get lastPong(): number | null {
    return this.#lastPong
  }

  setLimits(limits: ChunkLimits): void {
    this.#reader.setLimits(limits)
  }

  /** Sets the bytes after which we acknowledge; the peer may announce others later. */
  acknowledgeAfter(bytes: number): void {
    this.#receiveWindow = bytes
  }

  /** Nothing is read, delivered or written from now on, not even the rest of a push that is going on. */
  close(): void {
    this.#closed = true
    this.#handshake = null
    this.#reader.stop()
  }

  /** @throws WeirError RTMP_HANDSHAKE_*, RTMP_CHUNK_*, RTMP_*_SIZE, RTMP_CONTROL; or what the handler throws */
  push(bytes: Buffer): void {
    if (this.#closed) return
    this.#bytesReceived += bytes.length
    if (this.#handshake === null) this.#reader.push(bytes)
    else this.#pushHandshake(this.#handshake, bytes)
    this.#acknowledge()
  }

  #pushHandshake(handshake: Handshake, bytes: Buffer): void {
    const { output, rest } = handshake.push(bytes)
    if (output !== null) this.write(output)
    if (!handshake.done || handshake.kind === null) return
    this.#handshake = null
    this.#handler.onHandshake(handshake.kind)
    if (rest !== null) this.#reader.push(rest)
  }

  /** Once a push at most, however small the window is that the peer announced. */
  #acknowledge(): void {
    if (this.#handshake !== null) return
    if (this.#bytesReceived - this.#bytesReceivedAtLastAck < this.#receiveWindow) return
    this.#bytesReceivedAtLastAck = this.#bytesReceived
    this.write(encodeAcknowledgement(this.#bytesReceived, this.#chunkSize))
  }

  #receive(message: RtmpMessage): void {
    switch (message.type) {
      case acknowledgementType:
      case userControlType:
      case windowAckSizeType:
      case setPeerBandwidthType:
        this.#receiveControl(decodeControl(message))
        break
      default:
        this.#handler.onMessage(message)
    }
  }

  #receiveControl(control: ControlMessage): void {
    switch (control.kind) {
      case 'acknowledgement':
        this.#recordAcknowledgement(control.sequenceNumber)
        break
      case 'window-ack-size':
        // 0 would ask for acknowledgements of nothing.
        if (control.size > 0) this.#receiveWindow = control.size
        break
      case 'set-peer-bandwidth':
        // The answer that 5.4.5 asks for, unless the peer knows it.
        if (control.size !== this.#announcedWindow) this.writeWindowAckSize(control.size)
        break
      case 'ping-request':
        this.write(encodePingResponse(control.timestamp, this.#chunkSize))
        break
      case 'ping-response':
        this.#lastPong = control.timestamp
        break
      default:
        this.#handler.onControl(control)
    }
  }

  /** A number behind the last one says nothing: it is left out. */
  #recordAcknowledgement(sequenceNumber: number): void {
    const ahead = (sequenceNumber - this.#bytesAcknowledged) >>> 0
    if (ahead < 2 ** 31) this.#bytesAcknowledged += ahead
  }

  /** Sends bytes that are chunks already. */
  write(bytes: Buffer): void {
    if (!this.#closed) this.#handler.send(bytes)
  }

  /** Tells the peer and uses it at once, as the specification wants: what follows is in chunks of this size. */
  writeChunkSize(size: number): void {
    this.write(encodeSetChunkSize(size, this.#chunkSize))
    this.#chunkSize = size
  }

  writeWindowAckSize(size: number): void {
    this.#announcedWindow = size
    this.write(encodeWindowAckSize(size, this.#chunkSize))
  }

  /** @param timestamp milliseconds of the caller's clock; comes back in {@link lastPong} modulo 2^32 */
  writePing(timestamp: number): void {
    this.write(encodePingRequest(timestamp % 2 ** 32, this.#chunkSize))
  }

  writeCommand(streamId: number, command: Command): void {
    this.write(encodeCommand(streamId, command, this.#chunkSize))
  }

  /** A data message of AMF0 values. */
  writeData(streamId: number, ...values: AmfValue[]): void {
    const header = { chunkStreamId: dataChunkStream, type: amf0DataType, streamId, timestamp: 0 }
    this.write(encodeMessage(header, encodeAmf0(...values), this.#chunkSize))
  }

  /** @throws WeirError RTMP_MESSAGE_SIZE */
  writePacket(streamId: number, packet: Packet): void {
    this.write(encodePacket(packet, streamId, this.#chunkSize))
  }
}
