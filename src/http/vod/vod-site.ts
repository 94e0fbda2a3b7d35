import type { IncomingMessage, ServerResponse } from 'node:http'
import { basename } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { isDeepStrictEqual } from 'node:util'
import { codeOf, messageOf, WeirError } from '../../base/errors.ts'
import type { Logger } from '../../base/logger.ts'
import type { Config } from '../../config/config.ts'
import { vodPlaylist } from '../../media/hls/vod-playlist.ts'
import type { RecordingIndex } from '../../media/vod/recording.ts'
import { requestTarget } from '../request-target.ts'
import { rangeOf } from './mp4-download.ts'
import type { RecordingFile } from './tasks.ts'
import { VodLibrary } from './vod-library.ts'

/** What recordings over HTTP need of the site they are part of. */
export interface VodSiteHost {
  readonly logger: Logger
  readonly config: Config
  /**
   * The absolute path of a file that is served, there or not; null: none of ours.
   * @param encoded path of a request, percent-encoded
   */
  pathOf(host: string, encoded: string, query: URLSearchParams): string | null
}

/** A recording's name, and what of it is asked for as HLS. */
const hlsAddress = /^(\/.*\.(?:flv|mp4|m4v|m4a|mov))\/(?:(index\.m3u8)|(\d{1,7})\.ts)$/i

/** The name of a recording that can be had as MP4. */
const flvAddress = /^\/.*\.flv$/i

/** MP4 files that are sent at once: each waits for a thread at times, and keeps two parts of itself in memory. */
const maxDownloads = 32

/** A segment whose address says of which state of the file it is never changes, in seconds. */
const segmentSeconds = 3600

/** How soon a client may ask again when the queue is full, in seconds. */
const retrySeconds = 1

/** The HTTP status that says why a recording cannot be had. */
const statuses: Readonly<Record<string, number>> = {
  ENOENT: 404,
  ENOTDIR: 404,
  EACCES: 404,
  EISDIR: 404,
  VOD_FORMAT: 415,
  FLV_FORMAT: 415,
  VOD_BROKEN: 422,
  MEDIA_FORMAT: 422,
  VOD_BUSY: 503,
}

/** What is asked for. */
interface VodRequest {
  /** Where the recording may be, percent-encoded, the likeliest first. */
  readonly candidates: readonly string[]
  /** A number is that of a segment. */
  readonly part: number | 'playlist' | 'mp4'
}

/** An answer with a body. */
interface Content {
  readonly body: Uint8Array | string
  readonly type: string
  readonly etag: string
  readonly cacheControl: string
}

/** Recordings as HLS: a playlist below a recording's own address, and segments beside it. */
export class VodSite {
  readonly #host: VodSiteHost
  #library: VodLibrary
  #downloads = 0
  /** Requests that found the queue full, since the last sweep. */
  #refused = 0

  constructor(host: VodSiteHost) {
    this.#host = host
    this.#library = new VodLibrary(host.logger, host.config.httpServer.vod)
  }

  /**
   * Answers a request for a part of a recording.
   * @param otherwise answers it if there is no such recording
   * @returns whether it is such a request; if not, nothing has happened
   */
  answer(request: IncomingMessage, response: ServerResponse, otherwise: () => void): boolean {
    const { enabled, mount } = this.#host.config.httpServer.vod
    if (!enabled || (request.method !== 'GET' && request.method !== 'HEAD')) return false
    const target = requestTarget(request)
    const wanted = parseAddress(target.path, target.query, mount)
    if (wanted === null) return false
    this.#answer(wanted, request, response, otherwise).catch((error: unknown) =>
      this.#fail(error, request, response),
    )
    return true
  }

  /** Whether a request is for a part of a recording that is there; whether that part is does not matter. */
  async has(request: IncomingMessage): Promise<boolean> {
    const { enabled, mount } = this.#host.config.httpServer.vod
    const { host, path, query } = requestTarget(request)
    const wanted = enabled ? parseAddress(path, query, mount) : null
    return wanted !== null && (await this.#find(wanted.candidates, host, query)) !== null
  }

  reload(before: Config): void {
    const { vod } = this.#host.config.httpServer
    if (isDeepStrictEqual(vod, before.httpServer.vod)) return
    const old = this.#library
    this.#library = new VodLibrary(this.#host.logger, vod)
    old.close().catch((error: unknown) => this.#host.logger.error({ code: codeOf(error) }, messageOf(error)))
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    this.#refused = 0
    this.#library.sweep(nowMs)
  }

  async #answer(
    wanted: VodRequest,
    request: IncomingMessage,
    response: ServerResponse,
    otherwise: () => void,
  ): Promise<void> {
    const { host, query } = requestTarget(request)
    const file = await this.#find(wanted.candidates, host, query)
    const { part } = wanted
    if (file === null) otherwise()
    else if (part === 'playlist') {
      send(request, response, playlist(file, await this.#library.index(file), query))
    } else if (part === 'mp4') await this.#sendMovie(file, request, response)
    else {
      const body = await this.#library.segment(file, part)
      if (body === null) sendStatus(response, 404)
      else send(request, response, segment(file, part, body, query))
    }
  }

  async #sendMovie(file: RecordingFile, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const library = this.#library
    const movie = await library.movie(file)
    const etag = `"${file.version}-mp4"`
    const range = rangeOf(request.headers, movie.bytes, etag)
    if (response.destroyed) return
    if (range === 'unsatisfiable') {
      response.setHeader('Content-Range', `bytes */${movie.bytes}`)
      sendStatus(response, 416)
      return
    }
    const { start, end } = range === 'whole' ? { start: 0, end: movie.bytes } : range
    const isDownload = request.method === 'GET'
    if (isDownload && this.#downloads >= maxDownloads) {
      throw new WeirError('VOD_BUSY', `${this.#downloads} MP4 files are being sent`)
    }
    const part = range === 'whole' ? {} : { 'Content-Range': `bytes ${start}-${end - 1}/${movie.bytes}` }
    response.writeHead(range === 'whole' ? 200 : 206, {
      'Content-Type': 'video/mp4',
      'Content-Length': end - start,
      'Content-Disposition': `attachment; filename*=UTF-8''${movieName(file.path)}`,
      'Accept-Ranges': 'bytes',
      'Cache-Control': 'no-cache',
      ETag: etag,
      ...part,
    })
    if (!isDownload) {
      response.end()
      return
    }
    this.#downloads += 1
    try {
      await pipeline(Readable.from(library.movieBytes(file, movie, start, end)), response)
    } catch (error) {
      if (codeOf(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
    } finally {
      this.#downloads -= 1
    }
  }

  async #find(
    candidates: readonly string[],
    host: string,
    query: URLSearchParams,
  ): Promise<RecordingFile | null> {
    for (const candidate of candidates) {
      const path = this.#host.pathOf(host, candidate, query)
      const file = path === null ? null : await this.#library.find(path)
      if (file !== null) return file
    }
    return null
  }

  #fail(error: unknown, { url }: IncomingMessage, response: ServerResponse): void {
    const code = codeOf(error)
    const status = statuses[code] ?? 500
    if (response.headersSent) {
      this.#host.logger.warn({ code, url }, `vod: an answer is cut off: ${messageOf(error)}`)
      response.destroy()
      return
    }
    if (status === 503) {
      response.setHeader('Retry-After', retrySeconds)
      this.#refused += 1
    }
    // A crowd that finds the queue full fills no log: one line a second is enough.
    const isTold = status === 503 ? this.#refused === 1 : status >= 500
    if (isTold) this.#host.logger.warn({ code, url }, `vod: ${messageOf(error)}`)
    sendStatus(response, status)
  }
}

/**
 * Reads the address of a part of a recording, below the mount or not.
 * @returns null if it is none
 */
export function parseAddress(path: string, query: URLSearchParams, mount: string): VodRequest | null {
  if (query.get('format') === 'mp4' && flvAddress.test(path)) {
    return { candidates: candidatesOf(path, mount), part: 'mp4' }
  }
  const [, recording, , number] = hlsAddress.exec(path) ?? []
  if (recording === undefined) return null
  return {
    candidates: candidatesOf(recording, mount),
    part: number === undefined ? 'playlist' : Number(number),
  }
}

function candidatesOf(recording: string, mount: string): string[] {
  const prefix = `/${mount.replace(/^\/+|\/+$/g, '')}/`.replace('//', '/')
  return [...(recording.startsWith(prefix) ? [recording.slice(prefix.length - 1)] : []), recording]
}

/** The name that a recording is to have as MP4, encoded for a header (RFC 8187). */
function movieName(path: string): string {
  const name = `${basename(path).replace(/\.flv$/i, '')}.mp4`
  return encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)
}

function playlist(file: RecordingFile, index: RecordingIndex, query: URLSearchParams): Content {
  const { version } = file
  // What the request says beside (a virtual host, a token) has to be said for the segments too.
  const own = new URLSearchParams(query)
  own.set('v', version)
  const entries = index.segments.map(({ durationMs, period }, number) => ({
    uri: `${number}.ts?${own.toString()}`,
    durationMs,
    discontinuity: number > 0 && index.segments[number - 1]?.period !== period,
  }))
  return {
    body: vodPlaylist(entries),
    type: 'application/vnd.apple.mpegurl',
    etag: `W/"${version}"`,
    cacheControl: 'no-cache',
  }
}

function segment(file: RecordingFile, number: number, body: Uint8Array, query: URLSearchParams): Content {
  const isOfVersion = query.get('v') === file.version
  return {
    body,
    type: 'video/mp2t',
    etag: `"${file.version}-${number}"`,
    cacheControl: isOfVersion ? `public, max-age=${segmentSeconds}` : 'no-cache',
  }
}

function send(request: IncomingMessage, response: ServerResponse, content: Content): void {
  if (response.destroyed) return
  const { body, type, etag, cacheControl } = content
  const known = request.headers['if-none-match']
  if (known?.split(',').some((tag) => tag.trim() === etag || tag.trim() === '*')) {
    response.writeHead(304, { ETag: etag, 'Cache-Control': cacheControl })
    response.end()
    return
  }
  response.writeHead(200, {
    'Content-Type': type,
    'Content-Length': typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength,
    'Cache-Control': cacheControl,
    ETag: etag,
  })
  if (request.method === 'HEAD') response.end()
  else response.end(body)
}

function sendStatus(response: ServerResponse, status: number): void {
  if (response.destroyed) return
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' })
  response.end(`${status}\n`)
}
