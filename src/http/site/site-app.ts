import { readFile, stat } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AccessPipeline } from '../../access/access-pipeline.ts'
import { codeOf, messageOf, WeirError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Config } from '../../config/config.ts'
import { createApp } from '../app.ts'
import { PulledHls, type PulledHlsHost } from '../edge/pulled-hls.ts'
import { answerStatus } from '../live/http-transport.ts'
import { statusOf } from '../live/status-of.ts'
import { requestTarget } from '../request-target.ts'
import { VodSite, type VodSiteHost } from '../vod/vod-site.ts'
import { cacheControlOf, contentTypeOf } from './file-headers.ts'
import { FileRoots } from './file-roots.ts'
import type { FileTarget } from './file-target.ts'
import { flvFromOffset } from './flv-start.ts'
import { HlsGuard } from './hls-guard.ts'
import { HotFiles } from './hot-files.ts'
import { carriedQuery, withQuery } from './playlist-query.ts'

/** What the site needs of its worker. */
export interface SiteHost extends PulledHlsHost {
  readonly logger: Logger
  readonly config: Config
  readonly access: AccessPipeline
}

/** The files that are served over HTTP. */
export class Site implements VodSiteHost {
  readonly #host: SiteHost
  readonly #app = createApp()
  readonly #hot = new HotFiles()
  readonly #vod: VodSite
  readonly #guard: HlsGuard
  readonly #pulled: PulledHls
  /** Requests whose answers are for nobody else. */
  readonly #private = new WeakSet<IncomingMessage>()
  #config: Config
  #roots: FileRoots

  constructor(host: SiteHost) {
    this.#host = host
    this.#config = host.config
    this.#roots = new FileRoots(host.config)
    this.#guard = new HlsGuard(host, host.config)
    this.#pulled = new PulledHls(host, host.config)
    this.#vod = new VodSite(this)
  }

  get logger(): Logger {
    return this.#host.logger
  }

  get config(): Config {
    return this.#config
  }

  /** Answers a request; to be called after {@link start}. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const answer = (): void => this.#app.handle(request, response)
    const file = this.find(request)
    const owners = file === null ? [] : this.#guard.ownersOf(pathOf(file))
    if (file !== null && owners.length > 0) {
      this.#guard.check(request, owners).then(
        (refused) => {
          if (response.destroyed) return
          if (refused === null) {
            this.#whenThere(file, request, response, () => this.#handlePrivate(file, request, response))
          } else answerStatus(response, statusOf(new WeirError(refused.code, refused.message)))
        },
        (error: unknown) => {
          this.#host.logger.error({ code: codeOf(error), err: error }, `http: ${messageOf(error)}`)
          answerStatus(response, 500)
        },
      )
    } else if (this.#vod.answer(request, response, answer)) return
    else if (file === null) answer()
    else {
      this.#whenThere(file, request, response, () => {
        if (!this.#hot.answer(pathOf(file), request, response, answer)) answer()
      })
    }
  }

  /** A playlist of a stream that other servers have is answered with when it is there: the stream may be pulled first. */
  #whenThere(file: FileTarget, request: IncomingMessage, response: ServerResponse, answer: () => void): void {
    const { host, query } = requestTarget(request)
    const state = isRead(request) ? this.#pulled.want(pathOf(file), query.get('vhost') || host) : null
    if (state === null) {
      answer()
      return
    }
    state.then(
      (status) => {
        if (response.destroyed) return
        if (status === 200) answer()
        else answerStatus(response, status)
      },
      (error: unknown) => {
        this.#host.logger.error({ code: codeOf(error), err: error }, `http: ${messageOf(error)}`)
        answerStatus(response, 500)
      },
    )
  }

  /** Sends a file that is for this client alone; of a playlist, with what it needs to be let in again. */
  #handlePrivate(file: FileTarget, request: IncomingMessage, response: ServerResponse): void {
    const query = carriedQuery(requestTarget(request).query)
    const isChanged = query !== '' && isRead(request) && file.path.endsWith('.m3u8')
    // A part of the file would not be that part of what the others are of.
    if (isChanged) delete request.headers.range
    this.#private.add(request)
    const change = (bytes: Buffer): Buffer => Buffer.from(withQuery(bytes.toString(), query))
    const variant = { cacheControl: cacheControlOf(file.path, true), ...(isChanged ? { change } : {}) }
    const answer = (): void => {
      if (isChanged) void this.#sendChanged(file, request, response, change)
      else this.#app.handle(request, response)
    }
    if (!this.#hot.answer(pathOf(file), request, response, answer, variant)) answer()
  }

  /** A playlist that was not there when it was looked for may have come: then too it goes out with its query only. */
  async #sendChanged(
    file: FileTarget,
    { method }: IncomingMessage,
    response: ServerResponse,
    change: (bytes: Buffer) => Buffer,
  ): Promise<void> {
    try {
      const bytes = change(await readFile(pathOf(file)))
      response.writeHead(200, {
        'Content-Type': contentTypeOf(file.path),
        'Content-Length': bytes.length,
        'Cache-Control': cacheControlOf(file.path, true),
      })
      response.end(method === 'HEAD' ? '' : bytes)
    } catch (error) {
      const isAbsent = absences.includes(codeOf(error))
      if (!isAbsent) this.#host.logger.error({ code: codeOf(error), err: error }, `http: ${messageOf(error)}`)
      answerStatus(response, isAbsent ? 404 : 500)
    }
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    this.#guard.sweep()
    this.#hot.sweep(nowMs)
    this.#pulled.sweep(nowMs)
    this.#vod.sweep(nowMs)
  }

  async start(): Promise<void> {
    const { fastify } = this.#app
    await fastify.register(fastifyStatic, {
      serve: false,
      dotfiles: 'ignore',
      redirect: true,
      cacheControl: false,
      setHeaders: (reply, path) =>
        reply.header('Cache-Control', cacheControlOf(path, this.#private.has(reply.request.raw))),
    })
    fastify.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
      const status = error.statusCode ?? 500
      if (status >= 500) {
        this.#host.logger.error({ code: codeOf(error), err: error }, `http: ${messageOf(error)}`)
      }
      return answerText(reply, status)
    })
    fastify.setNotFoundHandler((_request, reply) => answerText(reply, 404))
    // Both methods here: the HEAD that Fastify makes of a GET would read the file to its end.
    fastify.route({
      method: ['GET', 'HEAD'],
      url: '/*',
      handler: (request, reply) => this.#answer(request, reply),
    })
    await fastify.ready()
  }

  reload(config: Config): void {
    const before = this.#config
    this.#config = config
    this.#roots = new FileRoots(config)
    this.#guard.reload(config)
    this.#pulled.reload(config)
    this.#vod.reload(before)
  }

  /** Lets go what it has kept. */
  close(): void {
    this.#pulled.close()
  }

  pathOf(host: string, encoded: string, query: URLSearchParams): string | null {
    const file = this.#roots.find(host, encoded, query)
    return file && pathOf(file)
  }

  /** The file that a request is for, there or not; null: none of ours. */
  find(request: IncomingMessage): FileTarget | null {
    const { host, path, query } = requestTarget(request)
    return this.#roots.find(host, path, query)
  }

  /** Whether a request is for a file that is there (of a directory: its index), or for a part of a recording that is. */
  async has(request: IncomingMessage): Promise<boolean> {
    if (await this.#vod.has(request)) return true
    const file = this.find(request)
    if (file === null) return false
    const path = file.path.endsWith('/') ? join(pathOf(file), 'index.html') : pathOf(file)
    return stat(path).then((stats) => stats.isFile(), isNoFile)
  }

  async #answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const file = this.find(request.raw)
    if (file === null) {
      reply.callNotFound()
      return reply
    }
    const start = requestTarget(request.raw).query.get('start')
    if (start !== null && file.path.endsWith('.flv')) return this.#answerFlv(reply, file, start)
    return reply.sendFile(file.path, file.root)
  }

  async #answerFlv(reply: FastifyReply, file: FileTarget, text: string): Promise<FastifyReply> {
    const start = /^\d{1,15}$/.test(text) ? Number(text) : null
    if (start === null) return answerText(reply, 400)
    try {
      const flv = await flvFromOffset(pathOf(file), start)
      if (flv === null) return answerText(reply, 416)
      reply.headers({
        'Content-Type': 'video/x-flv',
        'Content-Length': flv.length,
        'Cache-Control': cacheControlOf(file.path),
      })
      return reply.send(reply.request.method === 'HEAD' ? null : flv.open())
    } catch (error) {
      if (codeOf(error) === 'FLV_FORMAT') return answerText(reply, 415)
      isNoFile(error)
      return answerText(reply, 404)
    }
  }
}

function isRead({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD'
}

function pathOf({ root, path }: FileTarget): string {
  return join(root, path)
}

/** The system's words for that there is no such file to read. */
const absences = ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'EISDIR', 'EACCES', 'ELOOP']

/** @throws what is no word of the system that there is no such file to read */
function isNoFile(error: unknown): false {
  if (absences.includes(codeOf(error))) return false
  throw error
}

function answerText(reply: FastifyReply, status: number): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${status}\n`)
}
