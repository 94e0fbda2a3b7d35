import type { IncomingMessage, ServerResponse } from 'node:http'
import { fileURLToPath } from 'node:url'
import { codeOf, messageOf } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Config } from '../../config/config.ts'
import type { Face } from '../ports.ts'
import { type RequestTarget, requestTarget } from '../request-target.ts'
import { pageFacts } from './page-facts.ts'
import { type PageFile, PageFiles } from './page-files.ts'
import { contentSecurityPolicy } from './page-policy.ts'

/** What the pages need of their worker. */
export interface PagesHost {
  readonly logger: Logger
  readonly config: Config
}

/** What the build makes of web/, from a bundle in dist/http/. */
const builtDir = fileURLToPath(new URL('../web/', import.meta.url))

/** Where the console is; the address of a server leads there. */
const home = '/console/'

/** A page of this server, or what belongs to it. */
const ours = /^\/(console|players|publish)(?:\/(?<rest>[\w./-]*))?$/

/** The page of SRS that its console plays streams in. */
const srsPlayer = 'srs_player.html'

/** Pages that other sites may show in a frame: a player does nothing but play. */
const framed = new Set(['players'])

/** How long a file whose name says its content may be kept, in seconds. */
const immutableSeconds = 31_536_000

/** The console, the player and the publish page: files that the build made, and what they ask of the server. */
export class Pages {
  readonly #host: PagesHost
  readonly #files: PageFiles

  constructor(host: PagesHost, dir = builtDir) {
    this.#host = host
    this.#files = new PageFiles(dir)
  }

  /** Whether a request is for a page. */
  has(face: Face, request: IncomingMessage): boolean {
    if (!this.#isOn(face) || (request.method !== 'GET' && request.method !== 'HEAD')) return false
    const { path } = requestTarget(request)
    // Programs get what the API has there.
    if (path === '/') return face !== 'api' || request.headers.accept?.includes('text/html') === true
    return ours.test(path)
  }

  /** Answers a request for a page. */
  answer(face: Face, request: IncomingMessage, response: ServerResponse): void {
    const [, page, rest] = ours.exec(requestTarget(request).path) ?? []
    if (page === undefined) redirect(request, response, home)
    else if (rest === undefined) redirect(request, response, `/${page}/`)
    else if (rest === 'server.json') this.#answerFacts(face, request, response)
    else if (page === 'players' && rest === srsPlayer) redirectTo(response, playerOf(requestTarget(request)))
    else {
      this.#answerFile(face, page, rest, request, response).catch((error: unknown) => {
        this.#host.logger.error({ code: codeOf(error) }, `pages: ${messageOf(error)}`)
        answerText(response, 500)
      })
    }
  }

  #isOn(face: Face): boolean {
    const { httpApi, httpServer } = this.#host.config
    return face === 'api' ? httpApi.pages : httpServer.pages
  }

  #answerFacts(face: Face, request: IncomingMessage, response: ServerResponse): void {
    const body = Buffer.from(JSON.stringify(this.#facts(face, request)))
    response.writeHead(200, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': body.length,
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  }

  async #answerFile(
    face: Face,
    page: string,
    rest: string,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const name = `${page}/${rest === '' ? 'index.html' : rest}`
    const file = await this.#files.find(name, String(request.headers['accept-encoding'] ?? ''))
    if (file === null) {
      answerText(response, 404)
      return
    }
    for (const [field, value] of Object.entries(headersOf(file))) response.setHeader(field, value)
    if (name.endsWith('.html')) {
      const { host } = requestTarget(request)
      const policy = contentSecurityPolicy(this.#facts(face, request), host, framed.has(page))
      response.setHeader('Content-Security-Policy', policy)
    }
    const isKnown = request.headers['if-none-match']?.split(',').some((tag) => tag.trim() === file.etag)
    if (isKnown) {
      response.writeHead(304).end()
      return
    }
    response.writeHead(200, { 'Content-Type': file.contentType, 'Content-Length': file.bytes.length })
    response.end(request.method === 'HEAD' ? undefined : file.bytes)
  }

  #facts(face: Face, request: IncomingMessage) {
    const { host, query } = requestTarget(request)
    const namedPort = Number(/:(\d+)$/.exec(request.headers.host ?? '')?.[1] ?? 80)
    const localPort = request.socket.localPort ?? 0
    return pageFacts(this.#host.config, { face, host, namedPort, localPort, vhost: query.get('vhost') })
  }
}

function headersOf({ etag, encoding, isImmutable }: PageFile): Record<string, string> {
  return {
    ETag: etag,
    'Cache-Control': isImmutable ? `public, max-age=${immutableSeconds}, immutable` : 'no-cache',
    Vary: 'Accept-Encoding',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    ...(encoding === null ? {} : { 'Content-Encoding': encoding }),
  }
}

/** The player here for what SRS's player is asked for: `?vhost=&app=live&stream=livestream.flv`. */
function playerOf({ query }: RequestTarget): string {
  const [vhost, app = '', stream = ''] = ['vhost', 'app', 'stream'].map((name) => query.get(name) ?? '')
  if (app === '' || stream === '') return '/players/'
  const path = `/${[...app.split('/'), stream].map(encodeURIComponent).join('/')}`
  const ofVhost = vhost ? `?${new URLSearchParams({ vhost })}` : ''
  return `/players/?${new URLSearchParams({ url: path + ofVhost })}`
}

/** Leads to another path, with the query of the request. */
function redirect({ url = '' }: IncomingMessage, response: ServerResponse, path: string): void {
  const at = url.indexOf('?')
  redirectTo(response, path + (at < 0 ? '' : url.slice(at)))
}

function redirectTo(response: ServerResponse, location: string): void {
  response.writeHead(302, { Location: location, 'Cache-Control': 'no-cache', 'Content-Length': 0 })
  response.end()
}

function answerText(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' })
  response.end(`${status}\n`)
}
