import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AccessPipeline } from '../../access/access-pipeline.ts'
import { monotonicMs } from '../../base/clock.ts'
import { codeOf, messageOf, WeirError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Config, VhostConfig } from '../../config/config.ts'
import type { HlsEdgeFacts, HlsEdgeOutcome } from '../../ipc/hls-edge-facts.ts'
import { answerStatus } from '../live/http-transport.ts'
import { statusOf } from '../live/status-of.ts'
import { requestTarget } from '../request-target.ts'
import { HlsAccess } from '../site/hls-access.ts'
import { carriedQuery } from '../site/playlist-query.ts'
import { sendEdgeFile } from './edge-answer.ts'
import { EdgeLoader } from './edge-loader.ts'
import type { EdgeFile } from './edge-store.ts'
import { type EdgeTarget, EdgeTargets } from './edge-targets.ts'
import type { HlsUpstreams } from './hls-upstreams.ts'
import { UpstreamClient } from './upstream-client.ts'
import { UpstreamHealth } from './upstream-health.ts'

/** What the edge needs of its worker. */
export interface HlsEdgeHost {
  readonly logger: Logger
  readonly config: Config
  readonly access: AccessPipeline
  /** Names this server among all that a request may come through. */
  readonly edgeId: string
}

/** A longer list of the servers that a request came through is a loop, whoever wrote it. */
const maxLoopLength = 1024

const probeSilenceMs = 1000

/**
 * HLS of other servers: playlists and segments that this one has no files of are fetched when somebody asks for them,
 * once for all who do, and kept in memory as long as they are asked for.
 */
export class HlsEdge {
  readonly #host: HlsEdgeHost
  readonly #upstreams: HlsUpstreams
  readonly #access: HlsAccess
  readonly #client = new UpstreamClient()
  readonly #health: UpstreamHealth
  readonly #loaders = new Map<string, EdgeLoader>()
  readonly #answers: Record<HlsEdgeOutcome, number> = { hit: 0, miss: 0, stale: 0, absent: 0, failed: 0 }
  #targets: EdgeTargets

  constructor(host: HlsEdgeHost, upstreams: HlsUpstreams) {
    this.#host = host
    this.#upstreams = upstreams
    this.#access = new HlsAccess(host)
    this.#health = new UpstreamHealth(host.logger, (base) => this.#client.probe(base, probeSilenceMs))
    this.#targets = this.#targetsOf(host.config)
  }

  /** Null: no virtual host has the HLS of other servers. */
  get facts(): HlsEdgeFacts | null {
    if (this.#targets.isEmpty) return null
    let [files, bytes] = [0, 0]
    for (const loader of this.#loaders.values()) {
      files += loader.files
      bytes += loader.bytes
    }
    return { files, bytes, fetches: this.#client.requests, answers: { ...this.#answers } }
  }

  /**
   * Answers a request for HLS that another server has.
   * @param otherwise answers it when it turns out to be for something that is here
   * @returns whether it may be such a request; if not, nothing has happened
   */
  answer(request: IncomingMessage, response: ServerResponse, otherwise: () => void): boolean {
    if (request.method !== 'GET' && request.method !== 'HEAD') return false
    const target = this.#targets.find(request)
    if (target === null) return false
    this.#answer(target, request, response, otherwise).catch((error: unknown) => {
      this.#host.logger.error({ code: codeOf(error), err: error }, `http: ${messageOf(error)}`)
      answerStatus(response, 500)
    })
    return true
  }

  reload(config: Config): void {
    this.#targets = this.#targetsOf(config)
    const names = new Set(this.#targets.names)
    for (const [name, loader] of this.#loaders) {
      const vhost = config.vhosts[name]
      if (vhost !== undefined && names.has(name)) loader.config = vhost
      else this.#loaders.delete(name)
    }
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    this.#access.sweep()
    this.#health.sweep(nowMs)
    this.#client.sweep(nowMs)
    for (const loader of this.#loaders.values()) loader.sweep(nowMs)
  }

  close(): void {
    this.#client.close()
  }

  async #answer(
    target: EdgeTarget,
    request: IncomingMessage,
    response: ServerResponse,
    otherwise: () => void,
  ): Promise<void> {
    const { stream, vhost } = target
    const upstreams = await this.#upstreams.hlsUpstreamsOf(stream, vhost)
    if (response.destroyed) return
    if (upstreams === null) {
      otherwise()
      return
    }
    const isPrivate = this.#access.applies(vhost)
    if (isPrivate && !(await this.#isLetIn(target, request, response))) return
    const loop = request.headers['cdn-loop']?.toString() ?? ''
    if (loop.length > maxLoopLength || loop.split(/[\s,;]+/).includes(this.#host.edgeId)) {
      answerStatus(response, 508)
      return
    }
    const loader = this.#loaderOf(target)
    const query = isPrivate ? carriedQuery(requestTarget(request).query) : ''
    const send = (file: EdgeFile, how: string): void =>
      sendEdgeFile(file, request, response, monotonicMs(), { isPrivate, query, how })
    const fresh = loader.fresh(target, monotonicMs())
    if (fresh !== null) {
      this.#answers.hit += 1
      send(fresh, 'hit')
      return
    }
    const passed = loop === '' ? this.#host.edgeId : `${loop}, ${this.#host.edgeId}`
    const credentials = this.#upstreams.credentialsFor(stream, vhost)
    const outcome = await loader.load(target, { bases: upstreams, loop: passed, credentials })
    if ('status' in outcome) {
      this.#answers[outcome.status === 404 ? 'absent' : 'failed'] += 1
      answerStatus(response, outcome.status)
    } else {
      this.#answers[outcome.how] += 1
      send(outcome.file, `fwd=${outcome.how}`)
    }
  }

  /** A file whose name does not say whose it is is for nobody where clients are checked. */
  async #isLetIn(
    { stream, vhost }: EdgeTarget,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<boolean> {
    if (stream === null) {
      answerStatus(response, 404)
      return false
    }
    const refused = await this.#access.check(request, [{ stream, vhost }])
    if (refused === null) return !response.destroyed
    answerStatus(response, statusOf(new WeirError(refused.code, refused.message)))
    return false
  }

  #loaderOf({ name, vhost }: EdgeTarget): EdgeLoader {
    let loader = this.#loaders.get(name)
    if (loader === undefined) {
      const { logger } = this.#host
      loader = new EdgeLoader({ logger, client: this.#client, health: this.#health }, vhost)
      this.#loaders.set(name, loader)
    }
    return loader
  }

  #targetsOf(config: Config): EdgeTargets {
    return new EdgeTargets(config, (vhost: VhostConfig) => this.#upstreams.concerns(vhost))
  }
}
