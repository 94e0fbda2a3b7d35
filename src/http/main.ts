import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { codeOf, messageOf } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import type { Config } from '../config/config.ts'
import { type RoleMessage, runWorker, type Worker, type WorkerContext } from '../worker/worker-process.ts'
import { createApi } from './api/api-app.ts'
import type { ServerIdentity } from './api/envelope.ts'
import type { App } from './app.ts'
import { answerCors, apiRules, siteRules } from './cors.ts'
import { type Face, type PortHandler, WebPorts } from './ports.ts'
import { createSite } from './site/site-app.ts'

const sweepMs = 1000

/** An HTTP worker: serves the API, files and live streams. */
class HttpWorker implements Worker, PortHandler {
  readonly #context: WorkerContext
  readonly #ports = new WebPorts(this)
  readonly #masterPid = process.ppid
  #config: Config
  #api: App | null = null
  #site: App | null = null
  #draining = false
  /** Since the last sweep. */
  #acceptErrors = 0

  constructor(context: WorkerContext) {
    process.title = `weir: http ${context.index}`
    this.#context = context
    this.#config = context.config
  }

  get logger(): Logger {
    return this.#context.logger
  }

  get identity(): ServerIdentity {
    const { serverId } = this.#context
    return { server: this.#config.serverId || serverId, service: serverId, pid: this.#masterPid }
  }

  async start(): Promise<string[]> {
    this.#api = await createApi(this)
    this.#site = await createSite(this)
    const endpoints = await this.#ports.apply(this.#config)
    setInterval(() => this.#sweep(), sweepMs)
    return endpoints
  }

  onMessage(_message: RoleMessage): void {}

  reload(config: Config): void {
    this.#config = config
    if (this.#draining) return
    this.#ports.apply(config).then(
      (addresses) => this.logger.info({ listen: addresses }, 'listening'),
      (error: unknown) => this.logger.error({ code: codeOf(error) }, messageOf(error)),
    )
  }

  drain(): void {
    this.#draining = true
    this.#ports.drain()
    if (this.#ports.connections === 0) this.#context.exit()
  }

  async stop(): Promise<void> {
    this.#ports.close()
  }

  status() {
    return { connections: this.#ports.connections, streams: [] }
  }

  onRequest(face: Face, request: IncomingMessage, response: ServerResponse): void {
    const isApi = face === 'api' || (face === 'both' && isApiPath(request.url ?? ''))
    const { crossdomain } = isApi ? this.#config.httpApi : this.#config.httpServer
    if (crossdomain && answerCors(request, response, isApi ? apiRules : siteRules)) return
    const app = isApi ? this.#api : this.#site
    app?.handle(request, response)
  }

  onUpgrade(_face: Face, _request: IncomingMessage, socket: Duplex): void {
    socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  }

  /** Out of file descriptors, each attempt fails until clients leave: one line a second is enough. */
  onAcceptError(error: Error): void {
    this.#acceptErrors += 1
    if (this.#acceptErrors === 1) this.logger.error({ code: codeOf(error) }, `accept: ${messageOf(error)}`)
  }

  onEmpty(): void {
    if (this.#draining) this.#context.exit()
  }

  #sweep(): void {
    this.#acceptErrors = 0
    if (this.#draining) this.#ports.closeIdle()
  }
}

/** Where the API and the site share a port, the API has its own part of the paths. */
function isApiPath(url: string): boolean {
  return /^\/api(?:[/?]|$)/.test(url)
}

runWorker('http', (context) => new HttpWorker(context))
