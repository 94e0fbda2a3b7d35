import type { SourceNumber } from '../ipc/contract.ts'
import type { SenderChannel } from '../ipc/media-server.ts'
import type { Packet } from '../media/packet.ts'
import type { SubscriberChannel } from './subscription.ts'

/** A stream worker's channel as the subscriptions on it see it. */
export class WorkerSubscriber implements SubscriberChannel {
  readonly channel: SenderChannel
  readonly #schedule: (packet: Packet) => void

  constructor(channel: SenderChannel, schedule: (packet: Packet) => void) {
    this.channel = channel
    this.#schedule = schedule
  }

  get queuedBytes(): number {
    return this.channel.queuedBytes
  }

  sendRestart(source: SourceNumber, sourceId: string): void {
    this.channel.send({ t: 'restart', source, sourceId })
  }

  sendIdle(source: SourceNumber): void {
    this.channel.send({ t: 'idle', source })
  }

  sendReplay(source: SourceNumber, edge: 'begin' | 'end'): void {
    this.channel.send({ t: `replay-${edge}`, source })
  }

  sendPacket(source: SourceNumber, packet: Packet): void {
    this.channel.sendMedia(source, packet.type, packet.flags, packet.timestamp, packet.body)
    this.#schedule(packet)
  }
}
