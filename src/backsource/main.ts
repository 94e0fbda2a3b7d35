import { monotonicMs } from '../base/clock.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { collectFully, noteBuffer } from '../base/external-memory.ts'
import type { Logger } from '../base/logger.ts'
import type { Config } from '../config/config.ts'
import { vhostOf } from '../config/vhost-of.ts'
import type { HookIdentity } from '../hooks/hook-body.ts'
import { StreamHooks, type StreamHooksHost } from '../hooks/stream-hooks.ts'
import type {
  Answer,
  PublisherRef,
  Received,
  SourceNumber,
  StreamId,
  StreamInfo,
  ToMaster,
} from '../ipc/contract.ts'
import { MediaClient } from '../ipc/media-client.ts'
import { MediaServer, type SenderChannel } from '../ipc/media-server.ts'
import { RelayClock, relayWaitMs } from '../ipc/relay-clock.ts'
import { vhostOfStream } from '../live/stream-key.ts'
import { RateBook, sampleMs } from '../worker/byte-rates.ts'
import {
  type RoleMessage,
  runWorker,
  type Worker,
  type WorkerContext,
  type WorkQuestion,
} from '../worker/worker-process.ts'
import { answerAboutStreams } from './answers.ts'
import { ClosingFiles, filesTimeoutMs } from './closing-files.ts'
import { dvrListener } from './dvr/dvr-stream.ts'
import { recoverAtStart } from './dvr/recover-at-start.ts'
import { disposeHls } from './hls/dispose.ts'
import { LiveStream, type LiveStreamOwner } from './live-stream.ts'
import { titleOf } from './process-title.ts'
import { Pulls } from './upstream/pulls.ts'
import { Pushes } from './upstream/pushes.ts'
import { WorkerSubscriber } from './worker-subscriber.ts'

/** What is left of that time after the files for telling of them, at least, in milliseconds. */
const minHooksMs = 300

/** A stream and the link its publisher comes over. */
interface Entry {
  readonly live: LiveStream
  link: MediaClient | null
}

/**
 * A back-source: holds live streams (one, or several above `max_processes`), pulls each publisher from the
 * stream worker that has its connection, and serves the stream workers that pull for their players.
 */
class BackSource implements Worker, LiveStreamOwner, StreamHooksHost {
  readonly #context: WorkerContext
  readonly #logger: Logger
  readonly #server: MediaServer
  readonly #clock = new RelayClock()
  readonly #streams = new Map<SourceNumber, Entry>()
  readonly #links = new Map<string, MediaClient>()
  readonly #subscribers = new Map<SenderChannel, WorkerSubscriber>()
  /** Of streams that are closed here. */
  readonly #closing: ClosingFiles
  readonly #rates = new RateBook(monotonicMs())
  readonly hooks: StreamHooks
  readonly #pulls = new Pulls(this)
  readonly #pushes = new Pushes(this)
  #config: Config
  #draining = false
  /** Ends as soon as its files are complete. */
  #leaving = false

  constructor(context: WorkerContext) {
    this.#context = context
    this.#logger = context.logger
    this.#config = context.config
    this.#closing = new ClosingFiles(context.logger)
    this.hooks = new StreamHooks(this)
    this.#server = new MediaServer(context.socketPath, {
      onMessage: (channel, message) => {
        const subscriber = this.#subscriberOf(channel)
        if (message.t === 'subscribe') this.#subscribe(subscriber, message.source)
        else if (message.t === 'unsubscribe') this.#unsubscribe(subscriber, message.source)
        else if (message.t === 'replay') this.#streams.get(message.source)?.live.replay(subscriber)
      },
      onClose: (channel) => this.#forgetSubscriber(channel),
      onError: (error) => this.#logger.error({ code: codeOf(error) }, `media server: ${messageOf(error)}`),
    })
    this.#setTitle()
  }

  async start(): Promise<string[]> {
    await this.hooks.prepare()
    await this.#server.listen()
    setInterval(() => this.#sampleRates(), sampleMs).unref()
    collectFully()
    // Loading the program leaves garbage behind; now, with no stream to hold up, it costs nobody anything.
    globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' })
    return [this.#context.socketPath]
  }

  onMessage(message: RoleMessage): void {
    if (message.t === 'open') this.#open(message)
    else if (message.t === 'push') this.#onPush(message.source, message.push)
    else if (message.t === 'close') this.#close(message.source)
    else if (message.t === 'summarise') this.#streams.get(message.source)?.live.logSummary()
    else if (message.t === 'dispose') this.#dispose(message.stream)
    else if (message.t === 'recover') this.#recover()
  }

  reload(config: Config): void {
    this.#config = config
    this.hooks.prepare().catch((error: unknown) => this.#logger.error({ err: error }, messageOf(error)))
    for (const { live } of this.#streams.values()) {
      const vhost = vhostOf(config, vhostOfStream(live.stream))
      if (vhost !== null) live.config = vhost
    }
  }

  get serverId(): string {
    return this.#context.serverId
  }

  get logger(): Logger {
    return this.#logger
  }

  send(message: ToMaster): void {
    this.#context.send(message)
  }

  get hookIdentity(): HookIdentity {
    const { serverId } = this.#context
    return { server: this.#config.serverId || serverId, service: serverId }
  }

  get config(): Config {
    return this.#config
  }

  get ownToken(): string {
    return this.#context.ownToken
  }

  onDisconnect({ number: source }: LiveStream, code: string, message: string): void {
    this.#context.send({ t: 'disconnect', source, code, message })
  }

  drain(): void {
    this.#draining = true
    this.#exitIfIdle()
  }

  async stop(): Promise<void> {
    for (const source of [...this.#streams.keys()]) this.#close(source)
    for (const link of this.#links.values()) link.close()
    this.#server.close()
    await this.#lastWords()
  }

  status() {
    return {
      connections: this.#server.channels + this.#links.size,
      streams: [...this.#streams.values()].map((entry) => entry.live.status()),
    }
  }

  answer(question: WorkQuestion): Answer | null {
    if (question.ask === 'hooks') return { of: 'hooks', hooks: this.hooks.counts() }
    const lives = [...this.#streams.values()].map(({ live }) => live)
    return answerAboutStreams(question, lives, (live) => this.#infoOf(live))
  }

  #infoOf(live: LiveStream): StreamInfo {
    const info = live.info()
    const counts = { sendBytes: 0, recvBytes: live.bytesIn }
    const { recvKbps } = this.#rates.rates(monotonicMs(), live.stream, counts, live.openedAtMs)
    return {
      ...info,
      recvKbps,
      upstream: this.#pulls.upstreamOf(live.number),
      push: this.#pushes.status(live.number),
    }
  }

  #sampleRates(): void {
    const counts = [...this.#streams.values()].map(({ live }) => {
      return [live.stream, { sendBytes: 0, recvBytes: live.bytesIn }] as const
    })
    this.#rates.sample(monotonicMs(), counts)
  }

  #open(message: Extract<RoleMessage, { t: 'open' }>): void {
    const { stream, source, publisher, pull, push, route = [], received } = message
    const entry = this.#streams.get(source) ?? this.#newEntry(stream, source, received)
    if (entry === null) return
    if (publisher !== null) {
      entry.live.publisher = publisher
      // Who attaches a publisher grants it: first other servers have to.
      if (push === null) this.#attach(entry, publisher)
      else this.#pushes.push(entry.live, push, publisher, () => this.#attach(entry, publisher))
      return
    }
    void this.#pushes.stop(source)
    if (pull === null) {
      this.#context.send({ t: 'opened', source })
      return
    }
    this.#unpublish(entry.live)
    entry.link = null
    this.#pulls.pull(entry.live, { upstreams: pull, route })
  }

  #attach(entry: Entry, publisher: PublisherRef): void {
    const { number: source } = entry.live
    entry.link = this.#linkTo(publisher.path)
    entry.link.send({ t: 'attach', publishId: publisher.publishId, source })
    this.#context.send({ t: 'opened', source })
  }

  #onPush(source: SourceNumber, push: readonly string[] | null): void {
    const entry = this.#streams.get(source)
    if (entry !== undefined) this.#pushes.change(entry.live, push, entry.live.publisher)
  }

  #newEntry(stream: StreamId, number: SourceNumber, received?: Received): Entry | null {
    const vhost = vhostOf(this.#config, vhostOfStream(stream))
    if (vhost === null) {
      this.#logger.error({ code: 'VHOST_UNKNOWN', stream }, 'cannot open a stream of a vhost that is gone')
      return null
    }
    const live = new LiveStream(stream, number, vhost, this.#logger, this, received)
    const entry: Entry = { live, link: null }
    this.#streams.set(number, entry)
    this.#setTitle()
    return entry
  }

  #close(number: SourceNumber): void {
    const entry = this.#streams.get(number)
    if (entry === undefined) return
    this.#pulls.stop(number)
    this.#closing.track(this.#pushes.stop(number))
    this.#closing.track(entry.live.close())
    this.#streams.delete(number)
    for (const [channel, subscriber] of this.#subscribers) {
      entry.live.unsubscribe(subscriber)
      channel.send({ t: 'gone', source: number })
    }
    this.#setTitle()
    this.#exitIfIdle()
  }

  #dispose(stream: StreamId): void {
    const held = [...this.#streams.values()].find(({ live }) => live.stream === stream)
    if (held !== undefined) {
      held.live.dispose()
      return
    }
    const vhost = vhostOf(this.#config, vhostOfStream(stream))
    if (vhost !== null) this.#closing.track(disposeHls(stream, vhost.hls, this.#config.utcTime, this.#logger))
  }

  #recover(): void {
    this.#closing.track(recoverAtStart(this.#config, this.#logger, dvrListener(this.#logger, this.hooks)))
  }

  /** The process ends: files are completed, then told of. */
  async #lastWords(): Promise<void> {
    const beganAtMs = monotonicMs()
    await this.#closing.complete()
    await this.hooks.close(Math.max(minHooksMs, filesTimeoutMs - (monotonicMs() - beganAtMs)))
  }

  #linkTo(path: string): MediaClient {
    const known = this.#links.get(path)
    if (known !== undefined) return known
    const current = (source: SourceNumber): LiveStream | null => {
      const entry = this.#streams.get(source)
      // A publisher that was replaced may still send for a moment.
      return entry !== undefined && entry.link === link ? entry.live : null
    }
    const link: MediaClient = new MediaClient(path, {
      onRestart: (source, sourceId, origin) => {
        // Until here, a publisher that is refused elsewhere takes nothing from who plays.
        if (current(source) !== null) this.#pulls.stop(source)
        current(source)?.publish(sourceId, origin)
        if (current(source) !== null) this.#pushes.begin(source)
      },
      // The source keeps and shares the body: it must not lie in the read buffer.
      onPacket: (source, packet, isOwn) => {
        if (isOwn) {
          current(source)?.push(packet)
          return
        }
        noteBuffer(packet.body.length)
        current(source)?.push({ ...packet, body: Buffer.from(packet.body) })
      },
      onIdle: (source) => this.#onPublisherLeft(current(source)),
      onGone: (source) => {
        if (current(source) !== null) this.#pushes.leave(source, 'never-came')
        this.#onPublisherLeft(current(source))
      },
      onClose: (error) => {
        this.#links.delete(path)
        if (error !== null) this.#logger.warn({ err: error, path }, 'lost the connection to a stream worker')
        for (const entry of this.#streams.values()) {
          if (entry.link !== link) continue
          this.#pushes.leave(entry.live.number, 'never-came')
          this.#unpublish(entry.live)
          entry.link = null
          this.#context.send({ t: 'detached', source: entry.live.number })
        }
        this.#exitIfIdle()
      },
    })
    this.#links.set(path, link)
    return link
  }

  #onPublisherLeft(live: LiveStream | null): void {
    if (live !== null) {
      this.#pushes.leave(live.number, 'has-left')
      this.#unpublish(live)
    }
    this.#exitIfIdle()
  }

  /** The publisher is gone; one that waits for its turn meanwhile, while the stream is pulled, takes nothing with it. */
  #unpublish(live: LiveStream): void {
    if (!this.#pulls.has(live.number)) live.unpublish()
  }

  #subscribe(subscriber: WorkerSubscriber, source: SourceNumber): void {
    const entry = this.#streams.get(source)
    if (entry === undefined) subscriber.channel.send({ t: 'gone', source })
    else entry.live.subscribe(subscriber)
  }

  #unsubscribe(subscriber: WorkerSubscriber, source: SourceNumber): void {
    this.#streams.get(source)?.live.unsubscribe(subscriber)
    this.#exitIfIdle()
  }

  #subscriberOf(channel: SenderChannel): WorkerSubscriber {
    let subscriber = this.#subscribers.get(channel)
    if (subscriber === undefined) {
      subscriber = new WorkerSubscriber(channel, (packet) => {
        this.#clock.schedule(channel, relayWaitMs(packet))
      })
      this.#subscribers.set(channel, subscriber)
    }
    return subscriber
  }

  #forgetSubscriber(channel: SenderChannel): void {
    const subscriber = this.#subscribers.get(channel)
    if (subscriber === undefined) return
    this.#subscribers.delete(channel)
    for (const { live } of this.#streams.values()) live.unsubscribe(subscriber)
    this.#exitIfIdle()
  }

  /** Without a master, or told to drain, the process lives as long as it has somebody to serve. */
  #exitIfIdle(): void {
    if (!this.#draining || this.#leaving) return
    const lives = [...this.#streams.values()].map(({ live }) => live)
    if (lives.some((live) => live.status().publishing && !this.#pulls.isIdle(live))) return
    this.#leaving = true
    for (const live of lives) {
      this.#pulls.stop(live.number)
      this.#closing.track(this.#pushes.stop(live.number))
      this.#closing.track(live.close())
    }
    this.#lastWords().then(
      () => this.#context.exit(),
      (error: unknown) => {
        this.#logger.error({ code: codeOf(error), err: error }, 'closing streams failed')
        this.#context.exit()
      },
    )
  }

  #setTitle(): void {
    process.title = titleOf([...this.#streams.values()].map(({ live }) => live.stream))
  }
}

runWorker('back-source', (context) => new BackSource(context))
