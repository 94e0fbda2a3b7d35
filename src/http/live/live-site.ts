import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { AccessRequest } from '../../access/access-check.ts'
import type { AccessPipeline } from '../../access/access-pipeline.ts'
import { monotonicMs } from '../../base/clock.ts'
import { codeOf, messageOf, WeirError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import { plainIp } from '../../base/plain-ip.ts'
import type { Config } from '../../config/config.ts'
import { vhostOf } from '../../config/vhost-of.ts'
import type {
  AdmissionRefusal,
  FromMaster,
  Protocols,
  StreamAudience,
  StreamId,
  ToMaster,
  VhostTraffic,
} from '../../ipc/contract.ts'
import { splitStreamId, vhostOfStream } from '../../live/stream-key.ts'
import { PlayerHub } from '../../pull/player-hub.ts'
import { isLive } from '../../pull/wait-for.ts'
import { type ForwardRoute, hopOf, parseRoute, routeHeader } from '../../rtmp/forward-route.ts'
import type { ClientBook } from '../../worker/client-book.ts'
import { ClientRates, type Counted } from '../../worker/client-rates.ts'
import { PithyPrinter, type PithyTurn } from '../../worker/pithy-printer.ts'
import { Traffic } from '../../worker/traffic.ts'
import { httpWorkers } from '../../worker/worker-counts.ts'
import { bearerOf, requestTarget, searchOf, urlAt } from '../request-target.ts'
import { answerRedirect, answerStatus, HttpTransport } from './http-transport.ts'
import { type Carrier, liveFormat } from './live-formats.ts'
import { LiveMounts, type LiveTarget } from './live-mounts.ts'
import { LiveViewer, type LiveViewerHost, playRequest, type ViewerOrigin } from './live-viewer.ts'
import { statusOf } from './status-of.ts'
import type { Transport } from './transport.ts'
import { answerUpgrade, handshakeProblem, WebSocketTransport } from './websocket-transport.ts'

/** What the live streams need of their worker. */
export interface LiveSiteHost {
  /** Of the worker, from 1 on. */
  readonly index: number
  readonly serverId: string
  readonly logger: Logger
  readonly config: Config
  readonly access: AccessPipeline
  send(message: ToMaster): void
  /** Where the HTTP server of another node of the cluster is that owns a stream: `http://192.0.2.1:8080`; '': nowhere. */
  httpOwnerOf(stream: StreamId): Promise<string>
  /** A connection left the HTTP server for a viewer. */
  onTaken(socket: Socket): void
}

/** The files that are served where live streams are: what is no stream may be a file of that name. */
export interface LiveSiteFiles {
  has(request: IncomingMessage): Promise<boolean>
  handle(request: IncomingMessage, response: ServerResponse): void
}

/** Messages of the master about streams and viewers. */
export type LiveMessage = Extract<
  FromMaster,
  { t: 'admission' | 'source-up' | 'source-absent' | 'source-down' }
>

/** The answer to who has left before it came. */
const gone: AdmissionRefusal = { code: 'CONNECTION_LIMIT', message: 'the viewer has left' }

/** The live streams of this worker over HTTP and WebSocket, and all their viewers. */
export class LiveSite implements LiveViewerHost, ClientBook {
  readonly #host: LiveSiteHost
  readonly #files: LiveSiteFiles
  readonly #hub: PlayerHub
  readonly #viewers = new Map<string, LiveViewer>()
  readonly #admissions = new Map<string, (refusal: AdmissionRefusal | null) => void>()
  readonly #pithy: PithyPrinter
  readonly #traffic = new Traffic()
  readonly rates = new ClientRates(monotonicMs())
  #mounts: LiveMounts

  constructor(host: LiveSiteHost, files: LiveSiteFiles) {
    this.#host = host
    this.#files = files
    this.#hub = new PlayerHub(host.config, host.logger, (message) => host.send(message))
    this.#pithy = new PithyPrinter(this.#pithyTurn(host.config), monotonicMs())
    this.#mounts = this.#compileMounts()
  }

  get config(): Config {
    return this.#host.config
  }

  get logger(): Logger {
    return this.#host.logger
  }

  get access(): AccessPipeline {
    return this.#host.access
  }

  get clients(): ReadonlyMap<string, LiveViewer> {
    return this.#viewers
  }

  *streams(): Iterable<StreamId> {
    for (const { stream } of this.#hub.sent()) yield stream
  }

  audience(streams: readonly StreamId[]): Counted<StreamAudience>[] {
    const wanted = new Map(streams.map((stream) => [stream, {} as Protocols]))
    for (const { target, format } of this.#viewers.values()) {
      const players = wanted.get(target.stream)
      if (players !== undefined) players[format.name] = (players[format.name] ?? 0) + 1
    }
    return [...wanted].flatMap(([stream, players]) => {
      const pulled = this.#hub.pulled(stream)
      return pulled === null ? [] : [{ stream, publishers: 0, players, sendBytes: pulled.bytesOut }]
    })
  }

  sent() {
    return this.#hub.sent()
  }

  traffic(): Counted<VhostTraffic>[] {
    return this.#traffic.totals(this.#viewers.values())
  }

  get hub(): PlayerHub {
    return this.#hub
  }

  /**
   * Takes a request if it is for a live stream.
   * @returns whether it is
   */
  onRequest(request: IncomingMessage, response: ServerResponse): boolean {
    const { method } = request
    if (method !== 'GET' && method !== 'HEAD') return false
    const target = this.#find(request)
    if (target === null) return false
    if (typeof target === 'number') answerStatus(response, target)
    else if (routeOf(request).includes(hopOf(this.#host.serverId, target.stream))) {
      // The server that asks is one that this one has the stream from.
      answerStatus(response, 508)
    } else {
      this.#answer(target, request, response).catch((error: unknown) => {
        this.logger.error({ code: codeOf(error), err: error }, `http: ${messageOf(error)}`)
        answerStatus(response, 500)
      })
    }
    return true
  }

  /** Takes a request for WebSocket. */
  onUpgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    // A client that is gone before the answer is no error of this server.
    socket.on('error', () => socket.destroy())
    const problem = this.#isOriginAllowed(request) ? handshakeProblem(request) : 403
    const target = problem ?? this.#find(request) ?? 404
    if (typeof target === 'number') answerUpgrade(socket, target)
    else this.#view(target, 'ws', request, new WebSocketTransport(request, socket, head))
  }

  onMessage(message: LiveMessage): void {
    if (message.t !== 'admission') this.#hub.onMessage(message)
    else this.#settle(message.connectionId, message.refusal)
  }

  reload(config: Config): void {
    this.#pithy.turn = this.#pithyTurn(config)
    this.#hub.reload(config)
    this.#mounts = this.#compileMounts()
    for (const viewer of this.#viewers.values()) {
      const vhost = vhostOf(config, vhostOfStream(viewer.target.stream))
      if (!vhost?.httpRemux.enabled) viewer.close(null, 'the stream is no longer served over HTTP')
    }
  }

  #pithyTurn(config: Config): PithyTurn {
    return {
      pithyMs: config.pithyPrintMs,
      index: this.#host.index,
      workers: Math.max(1, httpWorkers(config)),
    }
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    for (const viewer of this.#viewers.values()) viewer.sweep(nowMs)
    this.#hub.sweep(nowMs)
    this.rates.sweep(nowMs, this)
    this.#pithy.print(nowMs, this.#viewers)
  }

  close(): void {
    for (const viewer of this.#viewers.values()) viewer.close(null)
    this.#hub.close()
  }

  admit({ id, ip }: LiveViewer): Promise<AdmissionRefusal | null> {
    return new Promise((resolve) => {
      this.#admissions.set(id, resolve)
      this.#host.send({ t: 'admit', connectionId: id, ip })
    })
  }

  onClosed(viewer: LiveViewer, failed: boolean): void {
    this.#viewers.delete(viewer.id)
    this.#traffic.leave(viewer)
    this.#settle(viewer.id, gone)
    this.#host.send({ t: 'left', connectionId: viewer.id, failed })
  }

  /** The live stream that a request is for, null if it is for none, or the status that refuses it. */
  #find(request: IncomingMessage): LiveTarget | number | null {
    try {
      const { host, path, query } = requestTarget(request)
      return this.#mounts.find(host, path, query)
    } catch (error) {
      return statusOf(error)
    }
  }

  #view(target: LiveTarget, carrier: Carrier, request: IncomingMessage, transport: Transport): void {
    const format = liveFormat(target.kind, carrier, target.vhost)
    const pulled = this.#hub.streamFor(target.stream, target.vhost, routeOf(request))
    const viewer = new LiveViewer(target, format, transport, originOf(request, carrier, target), pulled, this)
    this.#viewers.set(viewer.id, viewer)
    viewer.start()
  }

  /**
   * Sends the stream, if it is published, else the file of that name, if there is one; else it waits for the stream. A client
   * may be sent to the node that has it.
   */
  async #answer(target: LiveTarget, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const elsewhere = await this.#elsewhere(target, request)
    if (response.destroyed) return
    if (elsewhere !== '') {
      answerRedirect(response, elsewhere)
      return
    }
    const isFile = (await this.#files.has(request)) && !(await this.#isLive(target))
    if (response.destroyed) return
    if (isFile) this.#files.handle(request, response)
    else if (request.method === 'HEAD') await this.#answerHead(target, request, response)
    else
      this.#view(
        target,
        'http',
        request,
        new HttpTransport(request, response, (socket) => this.#host.onTaken(socket)),
      )
  }

  /**
   * `cluster { redirect on; }`: the URL at which another node has the stream; '': the client is served, or refused, here. That
   * node asks other servers about the client. Servers are not sent: they know the way by which they have a stream.
   */
  async #elsewhere(target: LiveTarget, request: IncomingMessage): Promise<string> {
    const { stream, vhost } = target
    const { registry, redirect } = this.config.cluster
    const isSent = redirect && registry === 'redis' && vhost.cluster.mode !== 'remote'
    if (!isSent || routeOf(request).length > 0) return ''
    const node = await this.#host.httpOwnerOf(stream)
    if (node === '') return ''
    const { ok } = await this.access.checkLocally(this.#wishOf(target, request), vhost)
    return ok ? urlAt(node, request, vhostOfStream(stream)) : ''
  }

  #isLive(target: LiveTarget): Promise<boolean> {
    return isLive(this.#hub.streamFor(target.stream, target.vhost))
  }

  /**
   * What a GET would be answered with now: a HEAD does not wait for a stream. It plays nothing, so that other servers
   * are not asked about it.
   */
  async #answerHead(target: LiveTarget, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { contentType } = liveFormat(target.kind, 'http', target.vhost)
    const verdict = await this.access.checkLocally(this.#wishOf(target, request), target.vhost)
    if (verdict.ok) verdict.end?.({ sendBytes: 0, recvBytes: 0 })
    else {
      answerStatus(response, statusOf(new WeirError(verdict.code, verdict.message)))
      return
    }
    if (!(await this.#isLive(target))) {
      answerStatus(response, 404)
      return
    }
    response.writeHead(200, { 'Content-Type': contentType, 'Cache-Control': 'no-cache, no-store' })
    response.end()
  }

  /** As it is checked of who is no viewer yet. */
  #wishOf(target: LiveTarget, request: IncomingMessage): AccessRequest {
    const { name: protocol } = liveFormat(target.kind, 'http', target.vhost)
    const client = { id: '', ip: plainIp(request.socket.remoteAddress), protocol }
    return playRequest(target, originOf(request, 'http', target), client)
  }

  /** Browsers ask nobody before they open a WebSocket to another site: with crossdomain off it is refused here. */
  #isOriginAllowed({ headers }: IncomingMessage): boolean {
    if (this.config.httpServer.crossdomain || headers.origin === undefined) return true
    return URL.parse(headers.origin)?.host === headers.host
  }

  #settle(id: string, refusal: AdmissionRefusal | null): void {
    this.#admissions.get(id)?.(refusal)
    this.#admissions.delete(id)
  }

  #compileMounts(): LiveMounts {
    const mounts = new LiveMounts(this.config)
    for (const mount of mounts.unusable) {
      this.logger.warn({ mount }, 'http_remux: a mount has to have [app] and [stream] and a known ending')
    }
    return mounts
  }
}

/** Of a server that fetches a stream: where the stream goes from there. */
function routeOf({ headers }: IncomingMessage): ForwardRoute {
  const route = headers[routeHeader]
  return typeof route === 'string' ? parseRoute(route) : []
}

function originOf(request: IncomingMessage, carrier: Carrier, { stream }: LiveTarget): ViewerOrigin {
  const { referer, origin, host } = request.headers
  return {
    pageUrl: referer ?? origin ?? '',
    tcUrl: `${carrier}://${host ?? ''}/${splitStreamId(stream).app}`,
    param: searchOf(request),
    ...bearerOf(request),
  }
}
