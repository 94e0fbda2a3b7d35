import { setImmediate as nextTurn } from 'node:timers/promises'
import { accepted, type Verdict } from '../access/access-check.ts'
import { codeOf, isErrorCode, messageOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { FromMaster, PublishId, PublishOrigin, StreamId, ToMaster } from '../ipc/contract.ts'
import { MediaServer, type SenderChannel } from '../ipc/media-server.ts'
import { RelayClock } from '../ipc/relay-clock.ts'
import { displayName } from '../live/stream-key.ts'
import { Publisher, type PublisherOwner } from './publisher.ts'

/**
 * Turns of the event loop in which an encoder's connection is read to find its end: one begins to read, one reads what
 * came last, one reads the end, and one closes it.
 */
const lastReadTurns = 4

/** The master answers in less, if it can answer at all, in milliseconds. */
const roomTimeoutMs = 5000

/** An encoder that wants to publish. */
export interface PublishWish {
  readonly stream: StreamId
  readonly connectionId: string
  readonly ip: string
  /** The query as the encoder gave it, with a leading `?`. */
  readonly param: string
  readonly origin: PublishOrigin
  /** `mr_latency` of its vhost. */
  readonly latency: number | 'auto'
}

/**
 * All publishers of this worker: asks the master for each, and relays their packets to the back-sources that
 * connect to pull them.
 */
export class PublisherHub {
  readonly #logger: Logger
  readonly #send: (message: ToMaster) => void
  readonly #server: MediaServer
  readonly #clock = new RelayClock()
  readonly #publishers = new Map<PublishId, Publisher>()
  /** Who asks whether a publish would be possible. */
  readonly #probes = new Map<PublishId, (verdict: Verdict) => void>()
  #nextId = 1

  constructor(socketPath: string, logger: Logger, send: (message: ToMaster) => void) {
    this.#logger = logger
    this.#send = send
    this.#server = new MediaServer(socketPath, {
      onMessage: (channel, message) => {
        if (message.t === 'attach') this.#attach(channel, message.publishId, message.source)
      },
      onDrain: (channel) => {
        for (const publisher of this.#publishers.values()) {
          if (publisher.channel === channel) publisher.onDrain()
        }
      },
      onClose: (channel, error) => this.#onBackSourceGone(channel, error),
      onError: (error) => this.#logger.error({ code: codeOf(error) }, `media server: ${messageOf(error)}`),
    })
  }

  listen(): Promise<void> {
    return this.#server.listen()
  }

  get size(): number {
    return this.#publishers.size
  }

  get publishers(): Iterable<Publisher> {
    return this.#publishers.values()
  }

  /**
   * Whether a publish would be granted now. Nothing is taken or promised: {@link publish} may still be refused.
   */
  hasRoom({ stream, ip, connectionId, param }: PublishWish): Promise<Verdict> {
    const publishId = this.#nextId
    this.#nextId += 1
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        const message = 'the master does not say whether the stream is free'
        this.#probes.get(publishId)?.({ ok: false, code: 'SOURCE_UNAVAILABLE', message })
      }, roomTimeoutMs)
      this.#probes.set(publishId, (verdict) => {
        clearTimeout(timer)
        this.#probes.delete(publishId)
        resolve(verdict)
      })
      this.#send({ t: 'publish', publishId, stream, ip, connectionId, param, probe: true })
    })
  }

  /** Asks for a stream; the owner is told when the encoder may send, or why it may not. */
  publish(wish: PublishWish, owner: PublisherOwner): Publisher {
    const id = this.#nextId
    this.#nextId += 1
    const publisher = new Publisher(
      id,
      wish.stream,
      wish.connectionId,
      wish.origin,
      owner,
      this.#clock,
      wish.latency,
      () => this.#publishers.size,
    )
    this.#publishers.set(id, publisher)
    this.#send({
      t: 'publish',
      publishId: id,
      stream: wish.stream,
      ip: wish.ip,
      connectionId: wish.connectionId,
      param: wish.param,
      ...(wish.origin.route.length === 0 ? {} : { route: wish.origin.route }),
    })
    return publisher
  }

  /** The encoder stopped, or its connection is gone. */
  unpublish(publisher: Publisher): void {
    if (!this.#publishers.delete(publisher.id)) return
    publisher.end()
    this.#send({ t: 'unpublish', publishId: publisher.id, stream: publisher.stream })
  }

  /**
   * Whether a publish is here and its encoder connected. When the encoder has connected anew, the end of its old
   * connection has come before the question: it is read, behind the media that may still stand before it.
   */
  async isAlive(publishId: PublishId): Promise<boolean> {
    for (let turn = 0; turn < lastReadTurns; turn += 1) {
      const owner = this.#publishers.get(publishId)?.owner
      if (!owner?.isConnected()) return false
      owner.readOn()
      await nextTurn()
    }
    return this.#publishers.get(publishId)?.owner.isConnected() ?? false
  }

  onMessage(message: Extract<FromMaster, { t: 'publish-answer' | 'publish-revoked' }>): void {
    const probe = this.#probes.get(message.publishId)
    if (probe !== undefined && message.t === 'publish-answer') {
      probe(
        message.ok
          ? accepted
          : { ...message, code: isErrorCode(message.code) ? message.code : 'STREAM_BUSY' },
      )
      return
    }
    const publisher = this.#publishers.get(message.publishId)
    if (publisher === undefined) return
    if (message.t === 'publish-revoked') {
      // Who takes the stream over begins it anew; else its back-source has to hear that nobody publishes it.
      if (message.code !== 'STREAM_REPLACED') publisher.end()
      this.#forget(publisher)
      publisher.owner.onRevoked(message.code, message.message)
    } else if (!message.ok) {
      this.#forget(publisher)
      publisher.owner.onRefused(message.code, message.message, message.redirect)
    }
  }

  close(): void {
    this.#server.close()
  }

  /** The master took it away and knows: nothing is to be told. */
  #forget(publisher: Publisher): void {
    this.#publishers.delete(publisher.id)
    publisher.detach()
  }

  #attach(channel: SenderChannel, publishId: PublishId, source: number): void {
    const publisher = this.#publishers.get(publishId)
    if (publisher === undefined) {
      channel.send({ t: 'gone', source })
      return
    }
    // One that is replaced may not know it yet: its packets must not come between those of its successor.
    for (const other of this.#publishers.values()) {
      if (other !== publisher && other.channel === channel && other.source === source) other.detach()
    }
    publisher.attach(channel, source)
  }

  #onBackSourceGone(channel: SenderChannel, error: Error | null): void {
    for (const publisher of this.#publishers.values()) {
      if (publisher.channel !== channel) continue
      publisher.detach()
      this.#logger.warn(
        { err: error ?? undefined, cid: publisher.connectionId, stream: displayName(publisher.stream) },
        'publish: lost the back-source, waiting for another',
      )
    }
  }
}
