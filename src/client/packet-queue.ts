/** Packets between a socket that delivers them and a loop that reads them. */
import type { Packet } from '../media/packet.ts'

/** When a queue counts as full. */
export interface PacketQueueLimits {
  readonly packets: number
  /** Of the packets' bodies together. */
  readonly bytes: number
}

/**
 * A queue with one reader. It takes what comes even if it is full, since a read from a socket can complete several
 * packets; whoever fills it has to stop while it is.
 */
export class PacketQueue {
  readonly #limits: PacketQueueLimits
  readonly #onRoom: () => void
  readonly #packets: Packet[] = []
  #bytes = 0
  #full = false
  #end: { readonly error: Error | null } | null = null
  #wakeReader: () => void = () => {}

  /** @param onRoom called when a queue that was full is half empty again */
  constructor(limits: PacketQueueLimits, onRoom: () => void) {
    this.#limits = limits
    this.#onRoom = onRoom
  }

  get full(): boolean {
    return this.#full
  }

  push(packet: Packet): void {
    this.#packets.push(packet)
    this.#bytes += packet.body.length
    if (this.#packets.length >= this.#limits.packets || this.#bytes >= this.#limits.bytes) this.#full = true
    this.#wakeReader()
  }

  /** No more will come: the reader gets what is there, then the error if there is one. */
  end(error: Error | null): void {
    this.#end ??= { error }
    this.#wakeReader()
  }

  /** The packets, in order, as they come. For one reader. */
  async *read(): AsyncGenerator<Packet, void, undefined> {
    for (;;) {
      const packet = this.#packets.shift()
      if (packet !== undefined) {
        this.#make(packet.body.length)
        yield packet
      } else if (this.#end === null) {
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve
        })
      } else {
        if (this.#end.error !== null) throw this.#end.error
        return
      }
    }
  }

  #make(room: number): void {
    this.#bytes -= room
    const { packets, bytes } = this.#limits
    if (!this.#full || this.#packets.length > packets / 2 || this.#bytes > bytes / 2) return
    this.#full = false
    this.#onRoom()
  }
}
