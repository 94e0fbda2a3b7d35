import { monotonicMs } from '../base/clock.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { collectFully, noteBuffer } from '../base/external-memory.ts'
import type { Logger } from '../base/logger.ts'
import type { Config } from '../config/config.ts'
import { vhostOf } from '../config/vhost-of.ts'
import type { HookIdentity } from '../hooks/hook-body.ts'
import { StreamHooks, type StreamHooksHost } from '../hooks/stream-hooks.ts'
import {
  type Answer,
  maxPageSize,
  type SourceNumber,
  type StreamId,
  type StreamInfo,
  type ToMaster,
} from '../ipc/contract.ts'
import { MediaClient } from '../ipc/media-client.ts'
import { MediaServer, type SenderChannel } from '../ipc/media-server.ts'
import { RelayClock, relayWaitMs } from '../ipc/relay-clock.ts'
import { displayName, streamTag, vhostOfStream } from '../live/stream-key.ts'
import { RateBook, sampleMs } from '../worker/byte-rates.ts'
import { pageOf } from '../worker/client-book.ts'
import {
  type RoleMessage,
  runWorker,
  type Worker,
  type WorkerContext,
  type WorkQuestion,
} from '../worker/worker-process.ts'
import { dvrListener } from './dvr/dvr-stream.ts'
import { recoverAtStart } from './dvr/recover-at-start.ts'
import { disposeHls } from './hls/dispose.ts'
import { LiveStream, type LiveStreamOwner } from './live-stream.ts'
import { Pulls } from './upstream/pulls.ts'
import { WorkerSubscriber } from './worker-subscriber.ts'

/** How long the end of the process waits for files, in milliseconds: less than the master waits for the process. */
const filesTimeoutMs = 1500

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
  /** Streams that are closed here and whose files are not complete yet. */
  readonly #closing = new Set<Promise<void>>()
  readonly #rates = new RateBook(monotonicMs())
  readonly hooks: StreamHooks
  readonly #pulls = new Pulls(this)
  #config: Config
  #draining = false
  /** Ends as soon as its files are complete. */
  #leaving = false

  constructor(context: WorkerContext) {
    this.#context = context
    this.#logger = context.logger
    this.#config = context.config
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
    else if (message.t === 'close') this.#close(message.source)
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
    const streams = [...this.#streams.values()]
    switch (question.ask) {
      case 'streams': {
        const page = pageOf(streams, question.start, question.count)
        return { of: 'streams', streams: page.map(({ live }) => this.#infoOf(live)), total: streams.length }
      }
      case 'stream': {
        const found = streams.filter(({ live }) => streamTag(live.stream) === question.tag)
        return {
          of: 'streams',
          streams: found.map(({ live }) => this.#infoOf(live)),
          total: found.length,
        }
      }
      case 'programs': {
        const programs = streams.flatMap(({ live }) => live.status().programs ?? [])
        return { of: 'programs', programs: programs.slice(0, maxPageSize) }
      }
      case 'hooks':
        return { of: 'hooks', hooks: this.hooks.counts() }
      default:
        return null
    }
  }

  #infoOf(live: LiveStream): StreamInfo {
    const info = live.info()
    const counts = { sendBytes: 0, recvBytes: info.recvBytes }
    const { recvKbps } = this.#rates.rates(monotonicMs(), live.stream, counts)
    return { ...info, recvKbps, upstream: this.#pulls.upstreamOf(live.number) }
  }

  #sampleRates(): void {
    const counts = [...this.#streams.values()].map(({ live }) => {
      return [live.stream, { sendBytes: 0, recvBytes: live.bytesIn }] as const
    })
    this.#rates.sample(monotonicMs(), counts)
  }

  #open({ stream, source, publisher, pull, route = [] }: Extract<RoleMessage, { t: 'open' }>): void {
    const entry = this.#streams.get(source) ?? this.#newEntry(stream, source)
    if (entry === null) return
    if (publisher !== null) {
      entry.live.publisher = publisher
      entry.link = this.#linkTo(publisher.path)
      entry.link.send({ t: 'attach', publishId: publisher.publishId, source })
    }
    if (pull === null) {
      this.#context.send({ t: 'opened', source })
      return
    }
    this.#unpublish(entry.live)
    entry.link = null
    this.#pulls.pull(entry.live, { upstreams: pull, route })
  }

  #newEntry(stream: StreamId, number: SourceNumber): Entry | null {
    const vhost = vhostOf(this.#config, vhostOfStream(stream))
    if (vhost === null) {
      this.#logger.error({ code: 'VHOST_UNKNOWN', stream }, 'cannot open a stream of a vhost that is gone')
      return null
    }
    const live = new LiveStream(stream, number, vhost, this.#logger, this)
    const entry: Entry = { live, link: null }
    this.#streams.set(number, entry)
    this.#setTitle()
    return entry
  }

  #close(number: SourceNumber): void {
    const entry = this.#streams.get(number)
    if (entry === undefined) return
    this.#pulls.stop(number)
    this.#track(entry.live.close())
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
    if (vhost !== null) this.#track(disposeHls(stream, vhost.hls, this.#config.utcTime, this.#logger))
  }

  #recover(): void {
    this.#track(recoverAtStart(this.#config, this.#logger, dvrListener(this.#logger, this.hooks)))
  }

  #track(work: Promise<void>): void {
    const tracked: Promise<void> = work.finally(() => this.#closing.delete(tracked))
    this.#closing.add(tracked)
  }

  /** Waits until the files of closed streams are complete, but not for a disk that hangs. */
  async #filesComplete(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, filesTimeoutMs, 'late')
    })
    const outcome = await Promise.race([Promise.all(this.#closing), late])
    clearTimeout(timer)
    if (outcome === 'late') {
      this.#logger.error(
        { code: 'FILES_LATE' },
        'the disk did not take the last of the streams’ files in time',
      )
    }
  }

  /** The process ends: files are completed, then told of. */
  async #lastWords(): Promise<void> {
    const beganAtMs = monotonicMs()
    await this.#filesComplete()
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
      onGone: (source) => this.#onPublisherLeft(current(source)),
      onClose: (error) => {
        this.#links.delete(path)
        if (error !== null) this.#logger.warn({ err: error, path }, 'lost the connection to a stream worker')
        for (const entry of this.#streams.values()) {
          if (entry.link !== link) continue
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
    if (live !== null) this.#unpublish(live)
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
      this.#track(live.close())
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
    const [first, ...more] = [...this.#streams.values()].map(({ live }) => displayName(live.stream))
    process.title =
      first === undefined
        ? 'weir: back-source (spare)'
        : `weir: back-source ${first}${more.length > 0 ? ` +${more.length}` : ''}`
  }
}

runWorker('back-source', (context) => new BackSource(context))
