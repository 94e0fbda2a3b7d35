import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { WeirError } from '../base/errors.ts'
import { Channel, type ChannelHandler } from './channel.ts'
import { checkVersion, type FromSender, protocolVersion, type ToSender } from './contract.ts'

/** A connection on which the other process pulls media from this one. */
export type SenderChannel = Channel<FromSender, ToSender>

/** What a sender of media does with the processes that connect to it. */
export interface MediaServerHandler {
  onMessage(channel: SenderChannel, message: Exclude<ToSender, { t: 'hello' }>): void
  /** What was queued on a channel has left. */
  onDrain?(channel: SenderChannel): void
  onClose(channel: SenderChannel, error: Error | null): void
  /** A connection could not be accepted; the server goes on. */
  onError(error: Error): void
}

/**
 * Listens on a Unix socket for processes that pull media from this one: back-sources pull publishers from a
 * stream worker, stream workers pull sources from a back-source.
 */
export class MediaServer {
  readonly #path: string
  readonly #handler: MediaServerHandler
  readonly #server: Server
  readonly #channels = new Set<SenderChannel>()

  constructor(path: string, handler: MediaServerHandler) {
    this.#path = path
    this.#handler = handler
    this.#server = createServer((socket) => {
      const channel: SenderChannel = new Channel<FromSender, ToSender>(
        socket,
        this.#handlerOf(() => channel),
      )
      this.#channels.add(channel)
      channel.send({ t: 'hello', version: protocolVersion })
    })
  }

  /** Resolves when connections are accepted. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      const refuse = (error: Error): void => {
        reject(new WeirError('RUNTIME_DIR', `cannot listen on ${this.#path}: ${error.message}`, error))
      }
      this.#server.once('error', refuse)
      this.#server.listen({ path: this.#path }, () => {
        chmodSync(this.#path, 0o600)
        this.#server.off('error', refuse)
        this.#server.on('error', (error) => this.#handler.onError(error))
        resolve()
      })
    })
  }

  get channels(): number {
    return this.#channels.size
  }

  /** Ends all connections and removes the socket file. */
  close(): void {
    this.#server.close()
    for (const channel of this.#channels) channel.end()
    rmSync(this.#path, { force: true })
  }

  #handlerOf(channel: () => SenderChannel): ChannelHandler<ToSender> {
    return {
      onMessage: (message) => {
        if (message.t === 'hello') checkVersion(message.version)
        else this.#handler.onMessage(channel(), message)
      },
      onMedia: () => {
        throw new WeirError('IPC_FRAME', 'media from a process that pulls media')
      },
      onDrain: () => this.#handler.onDrain?.(channel()),
      onClose: (error) => {
        this.#channels.delete(channel())
        this.#handler.onClose(channel(), error)
      },
    }
  }
}
