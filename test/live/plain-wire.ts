import type { BatchMuxer } from '../../src/live/broadcast.ts'
import { FlushClock } from '../../src/live/flush-clock.ts'
import type { ViewerSocket } from '../../src/live/viewer.ts'
import type { Packet, PacketType } from '../../src/media/packet.ts'

/**
 * The simplest wire format there can be, for tests of what a broadcast sends:
 *
 * ```
 * packet := type:u8 flags:u8 timestamp:u32 length:u32 body
 * ```
 */
const overhead = 10

export const plainMuxer: BatchMuxer = {
  sizeOf: (bodyLength) => overhead + bodyLength,
  write(target, at, packet, timestamp) {
    target[at] = packet.type
    target[at + 1] = packet.flags
    target.writeUInt32BE(timestamp, at + 2)
    target.writeUInt32BE(packet.body.length, at + 6)
    packet.body.copy(target, at + overhead)
    return at + overhead + packet.body.length
  },
}

/** The packets in bytes that {@link plainMuxer} wrote. */
export function plainPackets(bytes: Buffer): Packet[] {
  const packets: Packet[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = at + overhead + bytes.readUInt32BE(at + 6)
    packets.push({
      type: bytes[at] as PacketType,
      flags: bytes[at + 1]!,
      timestamp: bytes.readUInt32BE(at + 2),
      body: bytes.subarray(at + overhead, end),
    })
    at = end
  }
  return packets
}

/** A player's socket that behaves as Node's do: full from `capacity` waiting bytes on, until all are gone. */
export class FakeSocket implements ViewerSocket {
  capacity: number
  readonly written: Buffer[] = []
  #waiting = 0
  writableNeedDrain = false

  constructor(capacity = Number.POSITIVE_INFINITY) {
    this.capacity = capacity
  }

  write(bytes: Buffer): boolean {
    this.written.push(bytes)
    this.#waiting += bytes.length
    if (this.#waiting >= this.capacity) this.writableNeedDrain = true
    return !this.writableNeedDrain
  }

  /** The peer has read everything. The test tells the broadcast, as a connection does. */
  drain(): void {
    this.#waiting = 0
    this.writableNeedDrain = false
  }

  get packets(): Packet[] {
    return this.written.flatMap(plainPackets)
  }

  /** What was written since the last call. */
  take(): Packet[] {
    return this.written.splice(0).flatMap(plainPackets)
  }
}

/** A clock that never ticks: the test flushes. It still counts what is scheduled. */
export class StoppedClock extends FlushClock {
  scheduled = 0

  constructor() {
    super(0)
  }

  override schedule(): void {
    this.scheduled += 1
  }
}
