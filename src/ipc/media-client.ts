import type { Packet } from '../media/packet.ts'
import { Channel } from './channel.ts'
import {
  checkVersion,
  type FromSender,
  type PublishOrigin,
  protocolVersion,
  type SourceNumber,
  type ToSender,
} from './contract.ts'

/** What a {@link MediaClient} tells of the sources it carries. */
export interface MediaClientHandler {
  /** A publisher begins. */
  onRestart(source: SourceNumber, sourceId: string, origin: PublishOrigin | null): void
  /** Unless `isOwn`, the packet's body is a view that is valid during the call only. */
  onPacket(source: SourceNumber, packet: Packet, isOwn: boolean): void
  /** The publisher left; another may come. */
  onIdle(source: SourceNumber): void
  /** Packets between these two were sent before. */
  onReplayBegin?(source: SourceNumber): void
  onReplayEnd?(source: SourceNumber): void
  /** The other process does not have the source (any more). */
  onGone(source: SourceNumber): void
  onClose(error: Error | null): void
}

/** The connection to one other process from which this one pulls media; it carries all their streams. */
export class MediaClient {
  readonly #channel: Channel<ToSender, FromSender>

  /** @param path Unix-socket path of the other process's MediaServer */
  constructor(path: string, handler: MediaClientHandler) {
    this.#channel = Channel.connect<ToSender, FromSender>(path, {
      onMessage: (message) => {
        switch (message.t) {
          case 'hello':
            checkVersion(message.version)
            break
          case 'restart':
            handler.onRestart(message.source, message.sourceId, message.origin ?? null)
            break
          case 'idle':
            handler.onIdle(message.source)
            break
          case 'replay-begin':
            handler.onReplayBegin?.(message.source)
            break
          case 'replay-end':
            handler.onReplayEnd?.(message.source)
            break
          case 'gone':
            handler.onGone(message.source)
            break
        }
      },
      onMedia: (source, type, flags, timestamp, body, isOwn) => {
        handler.onPacket(source, { type, flags, timestamp, body }, isOwn)
      },
      onClose: (error) => handler.onClose(error),
    })
    this.#channel.send({ t: 'hello', version: protocolVersion })
  }

  send(message: Exclude<ToSender, { t: 'hello' }>): void {
    this.#channel.send(message)
  }

  close(): void {
    this.#channel.close(null)
  }
}
