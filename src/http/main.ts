import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { AccessPipeline } from '../access/access-pipeline.ts'
import { exceptNodes, localChecks } from '../access/local-checks.ts'
import { RememberedCheck } from '../access/remembered-check.ts'
import { monotonicMs } from '../base/clock.ts'
import { codeOf, messageOf, WeirError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { ownAddress } from '../base/own-address.ts'
import { plainIp } from '../base/plain-ip.ts'
import type { Config } from '../config/config.ts'
import { TokenTraverse } from '../edge/token-traverse.ts'
import { ClientHooks, type HooksHost, hookPatienceMs } from '../hooks/client-hooks.ts'
import type { HookIdentity } from '../hooks/hook-body.ts'
import type { Answer, StreamId, ToMaster } from '../ipc/contract.ts'
import { answerAboutClients } from '../worker/client-book.ts'
import { Locator } from '../worker/locator.ts'
import { SweepPace } from '../worker/sweep-pace.ts'
import {
  type RoleMessage,
  runWorker,
  type Worker,
  type WorkerContext,
  type WorkQuestion,
} from '../worker/worker-process.ts'
import { type Api, createApi, isApiPath } from './api/api-app.ts'
import type { ServerIdentity } from './api/envelope.ts'
import { answerExporter } from './api/exporter.ts'
import { summary } from './api/system.ts'
import { allowReading, answerPreflight, siteRules } from './cors.ts'
import { ClusterHlsUpstreams, type StreamOwners } from './edge/cluster-upstreams.ts'
import { HlsEdge, type HlsEdgeHost } from './edge/hls-edge.ts'
import { Heartbeat, type HeartbeatHost } from './heartbeat.ts'
import { Inspector } from './inspector.ts'
import { LiveSite, type LiveSiteHost } from './live/live-site.ts'
import { answerUpgrade } from './live/websocket-transport.ts'
import { MachineMeter } from './machine/machine-meter.ts'
import { Pages } from './pages/pages.ts'
import { type Face, type PortHandler, WebPorts } from './ports.ts'
import { Site, type SiteHost } from './site/site-app.ts'

const sweepMs = 1000

/** An HTTP worker: serves the API, files and live streams. */
class HttpWorker implements Worker, PortHandler, LiveSiteHost, HooksHost, HeartbeatHost, StreamOwners {
  readonly #context: WorkerContext
  readonly #ports = new WebPorts(this)
  readonly #masterPid = process.ppid
  readonly #pace = new SweepPace(sweepMs, monotonicMs())
  readonly inspector = new Inspector((message) => this.send(message))
  readonly machine: MachineMeter
  readonly access: AccessPipeline
  /** For each file of HLS that a player asks for. */
  readonly #fileAccess: AccessPipeline
  readonly #live: LiveSite
  readonly #hooks: ClientHooks
  readonly #site: Site
  readonly #locator: Locator
  readonly #edge: HlsEdge
  readonly #pages: Pages
  /** One of the HTTP workers speaks for the server. */
  readonly #heartbeat: Heartbeat | null
  #config: Config
  #api: Api | null = null
  #draining = false
  #leaving = false
  /** Since the last sweep. */
  #acceptErrors = 0
  #denied = 0

  constructor(context: WorkerContext) {
    process.title = `weir: http ${context.index}`
    this.#context = context
    this.#config = context.config
    this.#hooks = new ClientHooks(this)
    const traverse = new TokenTraverse(context.logger)
    const checks = exceptNodes(localChecks, () => this.clusterSecret)
    this.access = new AccessPipeline(context.logger, checks, [traverse, this.#hooks.gate])
    this.#fileAccess = new AccessPipeline(context.logger, [...checks, new RememberedCheck(traverse)], [])
    this.#pages = new Pages(this)
    this.#heartbeat = context.index === 1 ? new Heartbeat(this) : null
    this.machine = new MachineMeter(context.config.stats.disk)
    const files = this.#fileHost()
    this.#site = new Site(files)
    this.#locator = new Locator(context.send)
    this.#edge = new HlsEdge(files, new ClusterHlsUpstreams(this))
    this.#live = new LiveSite(this, this.#site)
  }

  /** What files are served for, those of other servers too: whoever asks for many of them is not asked about at each. */
  #fileHost(): SiteHost & HlsEdgeHost {
    const config = (): Config => this.#config
    return {
      logger: this.logger,
      edgeId: `weir-${this.#context.serverId}`,
      access: this.#fileAccess,
      wantStream: (stream) => this.#live.hub.want(stream),
      get config() {
        return config()
      },
    }
  }

  get config(): Config {
    return this.#config
  }

  get isClustered(): boolean {
    return this.#config.cluster.registry === 'redis'
  }

  get clusterSecret(): string {
    return this.#config.cluster.secret
  }

  async httpOwnerOf(stream: StreamId): Promise<string> {
    return (await this.#locator.locate(stream)).http
  }

  get index(): number {
    return this.#context.index
  }

  get logger(): Logger {
    return this.#context.logger
  }

  get serverId(): string {
    return this.#context.serverId
  }

  get ip(): string {
    return ownAddress(this.#config.stats.network)
  }

  summaries(): Promise<object> {
    return summary(this)
  }

  get leaving(): boolean {
    return this.#draining
  }

  get identity(): ServerIdentity {
    return { ...this.hookIdentity, pid: this.#masterPid }
  }

  get hookIdentity(): HookIdentity {
    const { serverId } = this.#context
    return { server: this.#config.serverId || serverId, service: serverId }
  }

  async start(): Promise<string[]> {
    await this.#hooks.prepare()
    this.#api = await createApi(this)
    await this.#site.start()
    const endpoints = await this.#ports.apply(this.#config)
    setInterval(() => this.#sweep(), sweepMs)
    this.#heartbeat?.apply()
    return endpoints
  }

  onMessage(message: RoleMessage): void {
    switch (message.t) {
      case 'admission':
      case 'source-up':
      case 'source-absent':
      case 'source-down':
        this.#live.onMessage(message)
        break
      case 'located':
        this.#locator.onLocated(message)
        break
      case 'tell-visits':
        this.#hooks.tellInstead(message.visits)
        break
      case 'report':
        this.inspector.onMessage(message)
        break
      default:
        throw new WeirError('IPC_FRAME', `an HTTP worker was sent ${message.t}`)
    }
  }

  answer(question: WorkQuestion): Answer | null {
    if (question.ask === 'hooks') return { of: 'hooks', hooks: this.#hooks.counts() }
    return answerAboutClients(question, this.#live)
  }

  onTaken(socket: Socket): void {
    this.#ports.keep(socket)
  }

  send(message: ToMaster): void {
    this.#context.send(message)
  }

  reload(config: Config): void {
    this.#config = config
    this.machine.disks = config.stats.disk
    this.#hooks.prepare().catch((error: unknown) => this.logger.error({ err: error }, messageOf(error)))
    this.#site.reload(config)
    this.#edge.reload(config)
    this.#live.reload(config)
    if (this.#draining) return
    this.#heartbeat?.apply()
    this.#ports.apply(config).then(
      (addresses) => this.logger.info({ listen: addresses }, 'listening'),
      (error: unknown) => this.logger.error({ code: codeOf(error) }, messageOf(error)),
    )
  }

  drain(): void {
    this.#draining = true
    this.#heartbeat?.close()
    this.#api?.close()
    this.#ports.drain()
    if (this.#ports.connections === 0) this.#leave()
  }

  async stop(): Promise<void> {
    this.#heartbeat?.close()
    this.#live.close()
    this.#edge.close()
    this.#site.close()
    this.#api?.close()
    this.#ports.close()
    await this.#hooks.close(hookPatienceMs.stop)
  }

  status() {
    const hlsEdge = this.#edge.facts
    const { connections } = this.#ports
    return { connections, streams: this.#live.hub.status(), ...(hlsEdge && { hlsEdge }) }
  }

  onRequest(face: Face, request: IncomingMessage, response: ServerResponse): void {
    if (face === 'exporter') {
      answerExporter(this, request, response)
      return
    }
    const isApi = face === 'api' || (face === 'both' && isApiPath(request.url ?? ''))
    // The API has rules of its own.
    if (!isApi && this.#config.httpServer.crossdomain) {
      if (request.method === 'OPTIONS') {
        answerPreflight(response, siteRules)
        return
      }
      allowReading(response, siteRules)
    }
    if (this.#pages.has(face, request)) this.#answerPage(face, request, response)
    else this.#answer(isApi, request, response)
  }

  #answer(isApi: boolean, request: IncomingMessage, response: ServerResponse): void {
    if (isApi) this.#api?.handle(request, response)
    else if (!this.#edge.answer(request, response, () => this.#answerHere(request, response))) {
      this.#answerHere(request, response)
    }
  }

  /** With a live stream, or a file. */
  #answerHere(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#live.onRequest(request, response)) this.#site.handle(request, response)
  }

  /** A page of this server, unless the operator has a file of that name. */
  #answerPage(face: Face, request: IncomingMessage, response: ServerResponse): void {
    if (face === 'api') {
      this.#pages.answer(face, request, response)
      return
    }
    this.#site.has(request).then(
      (isFile) => {
        if (isFile) this.#site.handle(request, response)
        else this.#pages.answer(face, request, response)
      },
      // Whatever is wrong with the file, the site meets it too, and tells.
      () => this.#site.handle(request, response),
    )
  }

  onUpgrade(face: Face, request: IncomingMessage, socket: Socket, head: Buffer): void {
    if (face === 'api' || face === 'exporter') answerUpgrade(socket, 404)
    else this.#live.onUpgrade(request, socket, head)
  }

  /** Out of file descriptors, each attempt fails until clients leave: one line a second is enough. */
  onAcceptError(error: Error): void {
    this.#acceptErrors += 1
    if (this.#acceptErrors === 1) this.logger.error({ code: codeOf(error) }, `accept: ${messageOf(error)}`)
  }

  /** Who guesses passwords fills no log: one line a second is enough. */
  onDenied({ socket, headers, method, url }: IncomingMessage, why: 'password' | 'page'): void {
    this.#denied += 1
    if (this.#denied > 1) return
    const about = { ip: plainIp(socket.remoteAddress), method, path: url?.replace(/\?.*$/s, '') }
    if (why === 'password') {
      this.logger.warn({ code: 'API_DENIED', ...about }, 'api: asked without the right password or token')
      return
    }
    const { origin, referer, host } = headers
    const page = { origin: origin ?? referer, host }
    this.logger.warn({ code: 'API_PAGE', ...about, ...page }, 'api: a page of another site is refused')
  }

  onEmpty(): void {
    if (this.#draining) this.#leave()
  }

  /** It has drained, and ends when the hooks have told what there is to tell. */
  #leave(): void {
    if (this.#leaving) return
    this.#leaving = true
    void this.#hooks.close(hookPatienceMs.drain).then(() => this.#context.exit())
  }

  #sweep(): void {
    this.#acceptErrors = 0
    this.#denied = 0
    const now = monotonicMs()
    if (!this.#pace.isHeldUp(now)) this.#live.sweep(now)
    if (this.#config.httpApi.enabled || this.#config.heartbeat.enabled) this.machine.sweep(now)
    this.#site.sweep(now)
    this.#edge.sweep(now)
    if (this.#draining) this.#ports.closeIdle()
  }
}

runWorker('http', (context) => new HttpWorker(context))
