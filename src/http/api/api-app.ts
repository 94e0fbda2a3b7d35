import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { codeOf, messageOf } from '../../base/errors.ts'
import { createApp } from '../app.ts'
import { allowReading, answerPreflight, isPreflight } from '../cors.ts'
import { requestTarget } from '../request-target.ts'
import { isForbiddenToPage, refusalOf } from './access.ts'
import { apiCors } from './api-cors.ts'
import type { ApiHost } from './api-host.ts'
import { registerCluster } from './cluster.ts'
import { envelope } from './envelope.ts'
import { registerEvents } from './events.ts'
import { registerIndexPages } from './index-pages.ts'
import { asScript, isCallback } from './jsonp.ts'
import { registerLists } from './lists.ts'
import { openPaths, outside, registerProbes } from './probes.ts'
import { registerRecordings } from './recordings.ts'
import { registerServer } from './server.ts'
import { registerSystem } from './system.ts'

/** The API as its worker sees it. */
export interface Api {
  readonly handle: RequestListener
  /** Ends answers that never end by themselves. */
  close(): void
}

/** What `?method=` may say. */
const methodParams: readonly string[] = ['POST', 'PUT', 'DELETE']

/** Where the API and the site share a port, the API has its own part of the paths. */
export function isApiPath(url: string): boolean {
  const path = pathOf(url)
  return path === '/api' || path.startsWith('/api/') || outside.includes(path)
}

/** Without the query, and without a slash at its end. */
function pathOf(url: string): string {
  return url.replace(/\?.*$/s, '').replace(/\/$/, '')
}

/** The HTTP API, SRS-compatible: every answer is JSON in an envelope. */
export async function createApi(host: ApiHost): Promise<Api> {
  const { fastify, handle } = createApp({ ignoreTrailingSlash: true })
  // No path takes a body: what comes is read and forgotten, whatever it claims to be.
  fastify.removeAllContentTypeParsers()
  fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined))
  fastify.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    const status = error.statusCode ?? (codeOf(error) === 'SERVER_SILENT' ? 503 : 500)
    if (status >= 500) host.logger.error({ code: codeOf(error), err: error }, `api: ${messageOf(error)}`)
    return reply.code(status).send(envelope(host.identity, status))
  })
  fastify.setNotFoundHandler((_request, reply) => reply.code(404).send(envelope(host.identity, 404)))
  fastify.addHook('onSend', async (request, reply, payload) => {
    reply.header('X-Content-Type-Options', 'nosniff')
    if (!reply.hasHeader('Cache-Control')) reply.header('Cache-Control', 'no-store')
    const callback = callbackOf(request.raw)
    const isJson = String(reply.getHeader('Content-Type')).startsWith('application/json')
    const isText = typeof payload === 'string' || Buffer.isBuffer(payload)
    if (callback === null || !isJson || !isText) return payload
    reply.type('text/javascript; charset=utf-8').removeHeader('Content-Length')
    return asScript(callback, String(payload))
  })
  registerIndexPages(fastify, host)
  registerSystem(fastify, host)
  registerLists(fastify, host)
  registerRecordings(fastify, host)
  registerServer(fastify, host)
  registerCluster(fastify, host)
  registerProbes(fastify, host)
  const feed = registerEvents(fastify, host)
  await fastify.ready()
  return {
    close: () => feed.close(),
    handle: (request, response) => {
      const cors = apiCors(host.config, request)
      if (cors !== null) {
        if (isPreflight(request)) {
          answerPreflight(response, cors)
          return
        }
        allowReading(response, cors)
      }
      const refused = accessRefusal(host, request) ?? prepare(host, request)
      if (refused === null) handle(request, response)
      else answerAtOnce(response, refused, JSON.stringify(envelope(host.identity, refused)))
    },
  }
}

/** Whether a path is for everybody: probes have no password, and name whatever host they are told. */
function isOpen({ url = '/' }: IncomingMessage): boolean {
  return openPaths.includes(pathOf(url))
}

/** @returns 401 or 403 when the request may not use the API, else null */
function accessRefusal(host: ApiHost, request: IncomingMessage): number | null {
  if (isOpen(request)) return null
  const refused = refusalOf(host.config, request)
  if (refused !== null) host.onDenied(request, refused === 401 ? 'password' : 'page')
  return refused
}

/**
 * Reads what a request has in its query that is about the whole API: SRS's `callback` and `method`.
 * @returns the status that refuses it, or null
 */
function prepare(host: ApiHost, request: IncomingMessage): number | null {
  const { query } = requestTarget(request)
  const callback = query.get('callback')
  if (callback !== null && !isCallback(callback)) return 400
  const method = methodOf(request, query.get('method'))
  // A link or an image in any page makes a browser send a GET: it may not change anything.
  const isAllowed = host.config.httpApi.allowMethodParam && methodParams.includes(method)
  if (method !== request.method && !isAllowed) return 405
  if (!isOpen(request) && isForbiddenToPage(host.config, request, method)) {
    host.onDenied(request, 'page')
    return 403
  }
  request.method = method
  return null
}

/** The method that a request means. */
function methodOf(request: IncomingMessage, param: string | null): string {
  return request.method === 'GET' && param !== null ? param.toUpperCase() : (request.method ?? 'GET')
}

function callbackOf(request: IncomingMessage): string | null {
  return requestTarget(request).query.get('callback')
}

/** Answers without the application, which shall not see the request. */
function answerAtOnce(response: ServerResponse, status: number, json: string): void {
  if (status === 401) response.setHeader('WWW-Authenticate', 'Basic realm="weir", charset="UTF-8"')
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(json),
    'X-Content-Type-Options': 'nosniff',
    'Cache-Control': 'no-store',
  })
  response.end(response.req.method === 'HEAD' ? undefined : json)
}
