import { createServer, type Socket } from 'node:net'
import { AccessPipeline } from '../access/access-pipeline.ts'
import { exceptNodes, exceptOwn, localChecks } from '../access/local-checks.ts'
import { monotonicMs } from '../base/clock.ts'
import { codeOf, messageOf } from '../base/errors.ts'
import { newId } from '../base/ids.ts'
import type { Logger } from '../base/logger.ts'
import { version } from '../base/version.ts'
import type { Config } from '../config/config.ts'
import { TokenTraverse } from '../edge/token-traverse.ts'
import { ClientHooks, type HooksHost, hookPatienceMs } from '../hooks/client-hooks.ts'
import type { HookIdentity } from '../hooks/hook-body.ts'
import type { Answer, PublishId, StreamAudience, StreamId, ToMaster, VhostTraffic } from '../ipc/contract.ts'
import { PlayerHub } from '../pull/player-hub.ts'
import { ClientHandshake } from '../rtmp/handshake.ts'
import { answerAboutClients, type ClientBook } from '../worker/client-book.ts'
import { ClientRates, type Counted } from '../worker/client-rates.ts'
import { Listeners } from '../worker/listener.ts'
import { Locator } from '../worker/locator.ts'
import { PithyPrinter, type PithyTurn } from '../worker/pithy-printer.ts'
import { SweepPace } from '../worker/sweep-pace.ts'
import { Traffic } from '../worker/traffic.ts'
import { streamWorkers } from '../worker/worker-counts.ts'
import {
  type RoleMessage,
  runWorker,
  type Worker,
  type WorkerContext,
  type WorkQuestion,
} from '../worker/worker-process.ts'
import { BandwidthAccess } from './bandwidth-access.ts'
import { ClusterRedirect } from './cluster-redirect.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import { PublisherHub } from './publisher-hub.ts'
import { ReadClock } from './read-clock.ts'
import type { RtmpsPorts } from './rtmps-ports.ts'

const sweepMs = 1000

/** A stream worker: accepts RTMP clients, relays publishers to back-sources, serves players. */
class StreamWorker implements Worker, ConnectionHost, ClientBook, HooksHost {
  readonly #context: WorkerContext
  readonly #listeners: Listeners
  /** Once RTMPS is wanted: TLS takes a megabyte that no other worker needs. */
  #rtmps: Promise<RtmpsPorts> | null = null
  readonly #connections = new Map<string, Connection>()
  readonly #pithy: PithyPrinter
  readonly #pace = new SweepPace(sweepMs, monotonicMs())
  readonly #traffic = new Traffic()
  readonly #bandwidth: BandwidthAccess
  readonly #locator: Locator
  readonly #hooks: ClientHooks
  readonly rates = new ClientRates(monotonicMs())
  readonly access: AccessPipeline
  readonly players: PlayerHub
  readonly publishers: PublisherHub
  readonly readClock = new ReadClock()
  #config: Config
  #draining = false
  /** It ends as soon as the hooks have told what there is to tell. */
  #leaving = false
  /** Since the last sweep. */
  #acceptErrors = 0
  #tlsFailures = 0

  constructor(context: WorkerContext) {
    process.title = `weir: stream ${context.index}`
    this.#context = context
    this.#config = context.config
    this.#listeners = new Listeners(
      () => createServer({ pauseOnConnect: true, keepAlive: true }, (socket) => this.#accept(socket)),
      (error) => this.#onAcceptError(error),
    )
    this.#bandwidth = new BandwidthAccess(context.send)
    this.#hooks = new ClientHooks(this)
    const local = exceptNodes([...localChecks, this.#bandwidth], () => this.#config.cluster.secret)
    const checks = exceptOwn(local, context.ownToken)
    const [traverse] = exceptOwn([new TokenTraverse(context.logger)], context.ownToken)
    this.#locator = new Locator(context.send)
    const sendOn = new ClusterRedirect(() => this.#config, this.#locator)
    const [redirect] = exceptOwn([sendOn], context.ownToken)
    this.access = new AccessPipeline(context.logger, checks, [redirect!, traverse!, this.#hooks.gate])
    this.players = new PlayerHub(context.config, context.logger, context.send)
    this.publishers = new PublisherHub(context.socketPath, context.logger, context.send)
    this.#pithy = new PithyPrinter(this.#pithyTurn(context.config), monotonicMs())
  }

  get hookIdentity(): HookIdentity {
    const { serverId } = this.#context
    return { server: this.#config.serverId || serverId, service: serverId }
  }

  send(message: ToMaster): void {
    this.#context.send(message)
  }

  get config(): Config {
    return this.#config
  }

  get serverId(): string {
    return this.#context.serverId
  }

  get logger(): Logger {
    return this.#context.logger
  }

  async start(): Promise<string[]> {
    await this.#hooks.prepare()
    await this.publishers.listen()
    const endpoints = await this.#listen(this.#config)
    setInterval(() => this.#sweep(), sweepMs)
    // The first key of a process takes OpenSSL some 40 ms: no client shall wait for it.
    setImmediate(() => new ClientHandshake())
    return endpoints
  }

  onMessage(message: RoleMessage): void {
    switch (message.t) {
      case 'admission':
        this.#connections.get(message.connectionId)?.onAdmission(message.refusal)
        break
      case 'bandwidth-answer':
        this.#bandwidth.onAnswer(message.connectionId, message.allowed)
        break
      case 'located':
        this.#locator.onLocated(message)
        break
      case 'publish-answer':
      case 'publish-revoked':
        this.publishers.onMessage(message)
        break
      case 'check-publish':
        void this.#checkPublish(message.request, message.publishId)
        break
      case 'source-up':
      case 'source-absent':
      case 'source-down':
        this.players.onMessage(message)
        break
      case 'tell-visits':
        this.#hooks.tellInstead(message.visits)
        break
      case 'open':
      case 'close':
        break
    }
  }

  reload(config: Config): void {
    this.#config = config
    this.#pithy.turn = this.#pithyTurn(config)
    this.#hooks.prepare().catch((error: unknown) => this.logger.error({ err: error }, messageOf(error)))
    this.players.reload(config)
    for (const connection of this.#connections.values()) connection.reload(config)
    if (this.#draining) return
    this.#listen(config).then(
      (addresses) => this.logger.info({ listen: addresses }, 'listening'),
      (error: unknown) => this.logger.error({ code: codeOf(error) }, messageOf(error)),
    )
  }

  drain(): void {
    this.#draining = true
    this.#listeners.close()
    void this.#rtmps?.then((ports) => ports.close())
    this.#exitIfDrained()
  }

  async stop(): Promise<void> {
    this.#listeners.close()
    void this.#rtmps?.then((ports) => ports.close())
    for (const connection of this.#connections.values()) connection.close(null, 'the server stops')
    await this.#hooks.close(hookPatienceMs.stop)
    this.publishers.close()
    this.players.close()
  }

  status() {
    const publishing = [...this.publishers.publishers].map((publisher) => ({
      stream: publisher.stream,
      source: publisher.source,
      sourceId: publisher.connectionId,
      publishing: true,
      players: 0,
      video: null,
      audio: null,
      bytesIn: 0,
      bytesOut: 0,
      packetsIn: publisher.packets,
      packetsDropped: publisher.dropped,
    }))
    return { connections: this.#connections.size, streams: [...publishing, ...this.players.status()] }
  }

  answer(question: WorkQuestion): Answer | null {
    if (question.ask === 'hooks') return { of: 'hooks', hooks: this.#hooks.counts() }
    return answerAboutClients(question, this)
  }

  get clients(): ReadonlyMap<string, Connection> {
    return this.#connections
  }

  *streams(): Iterable<StreamId> {
    for (const { stream } of this.publishers.publishers) yield stream
    for (const { stream } of this.players.sent()) yield stream
  }

  audience(streams: readonly StreamId[]): Counted<StreamAudience>[] {
    const publishers = Map.groupBy(this.publishers.publishers, ({ stream }) => stream)
    return streams.map((stream) => {
      const pulled = this.players.pulled(stream)
      const players = pulled === null || pulled.players === 0 ? {} : { rtmp: pulled.players }
      const sendBytes = pulled?.bytesOut ?? 0
      return { stream, publishers: publishers.get(stream)?.length ?? 0, players, sendBytes }
    })
  }

  sent() {
    return this.players.sent()
  }

  traffic(): Counted<VhostTraffic>[] {
    return this.#traffic.totals(this.#connections.values())
  }

  identity(connectionId: string, serverIp: string): Record<string, string | number> {
    return {
      srs_server: `weir/${version}`,
      srs_version: version,
      srs_primary: 'weir',
      srs_authors: 'weir',
      srs_server_ip: serverIp,
      srs_pid: process.pid,
      srs_id: connectionId,
      weir_server_id: this.serverId,
    }
  }

  onClosed(connection: Connection, failed: boolean): void {
    this.#connections.delete(connection.id)
    this.#traffic.leave(connection)
    this.#context.send({ t: 'left', connectionId: connection.id, failed })
    this.#exitIfDrained()
  }

  /** One that fails leaves the other as it is: a certificate that was lost does not close the plain ports. */
  async #listen(config: Config): Promise<string[]> {
    const [plain, secure] = await Promise.allSettled([
      this.#listeners.apply(config.listen),
      this.#listenSecurely(config),
    ])
    if (plain.status === 'rejected') throw plain.reason
    if (secure.status === 'rejected') throw secure.reason
    return [...plain.value, ...secure.value]
  }

  async #listenSecurely(config: Config): Promise<string[]> {
    if (config.rtmps.enabled) this.#rtmps ??= this.#openRtmps()
    return (await this.#rtmps)?.apply(config) ?? []
  }

  async #openRtmps(): Promise<RtmpsPorts> {
    const { RtmpsPorts } = await import('./rtmps-ports.ts')
    return new RtmpsPorts(this.#config, {
      onSecure: (socket) => this.#accept(socket),
      onFailed: (ip, code) => this.#onTlsFailed(ip, code),
      onAcceptError: (error) => this.#onAcceptError(error),
    })
  }

  /** Whatever scans ports fills no log: one line a second is enough. */
  #onTlsFailed(ip: string, code: string): void {
    this.#tlsFailures += 1
    if (this.#tlsFailures === 1) this.logger.info({ ip, reason: code }, 'rtmps: a TLS handshake failed')
  }

  /** Out of file descriptors, each attempt fails until clients leave: one line a second is enough. */
  #onAcceptError(error: Error): void {
    this.#acceptErrors += 1
    if (this.#acceptErrors === 1) this.logger.error({ code: codeOf(error) }, `accept: ${messageOf(error)}`)
  }

  #accept(socket: Socket): void {
    const connection = new Connection(newId(), socket, this)
    this.#connections.set(connection.id, connection)
    this.#context.send({ t: 'admit', connectionId: connection.id, ip: connection.ip })
  }

  async #checkPublish(request: number, publishId: PublishId): Promise<void> {
    const alive = await this.publishers.isAlive(publishId)
    this.#context.send({ t: 'publish-checked', request, alive })
  }

  #sweep(): void {
    const now = monotonicMs()
    this.#acceptErrors = 0
    this.#tlsFailures = 0
    if (!this.#pace.isHeldUp(now)) {
      for (const connection of this.#connections.values()) connection.sweep(now)
      this.players.sweep(now)
    }
    this.rates.sweep(now, this)
    this.#pithy.print(now, this.#connections)
  }

  #pithyTurn(config: Config): PithyTurn {
    return { pithyMs: config.pithyPrintMs, index: this.#context.index, workers: streamWorkers(config) }
  }

  #exitIfDrained(): void {
    if (!this.#draining || this.#connections.size > 0 || this.#leaving) return
    this.#leaving = true
    void this.#hooks.close(hookPatienceMs.drain).then(() => this.#context.exit())
  }
}

runWorker('stream', (context) => new StreamWorker(context))
