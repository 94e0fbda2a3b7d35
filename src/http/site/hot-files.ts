import { open } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname } from 'node:path'
import { monotonicMs } from '../../base/clock.ts'
import { cacheControlOf, contentTypeOf } from './file-headers.ts'

/** What is asked for by everybody at once: playlists and segments. With how long an answer may be out of date, in ms. */
const recheckMs = new Map([
  ['.m3u8', 100],
  ['.mpd', 100],
  ['.ts', 1000],
  ['.m4s', 1000],
])

/** Bounds of what is kept. */
export interface HotFileLimits {
  readonly maxBytes: number
  /** Larger files are not kept. */
  readonly maxFileBytes: number
}

/** How one answer differs from what everybody gets. */
export interface HotFileVariant {
  readonly cacheControl: string
  /** Absent: the file as it is. */
  readonly change?: (bytes: Buffer) => Buffer
}

const standardLimits: HotFileLimits = { maxBytes: 64 * 1024 * 1024, maxFileBytes: 16 * 1024 * 1024 }

/** A file that nobody asked for in this time is let go, in milliseconds. */
const idleMs = 60_000

/** A file in memory. */
interface HotFile {
  readonly bytes: Buffer
  readonly etag: string
  readonly headers: Readonly<Record<string, string | number>>
  readonly modifiedMs: number
  checkedAtMs: number
  usedAtMs: number
}

/**
 * Playlists and segments in memory: a segment that thousands ask for is read once, and all get the same Buffer. That
 * is two to three times the answers that a core gives when each reads the file.
 */
export class HotFiles {
  readonly #limits: HotFileLimits
  /** The one checked longest ago first. */
  readonly #files = new Map<string, HotFile>()
  readonly #checks = new Map<string, Promise<HotFile | null>>()
  #bytes = 0

  constructor(limits = standardLimits) {
    this.#limits = limits
  }

  /** Bytes in memory. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * Answers a request for a file that is worth it.
   * @param path absolute path of the file
   * @param otherwise answers the request if the file is not kept: it is not there, or too large
   * @returns whether that is so; if not, nothing has happened
   */
  answer(
    path: string,
    request: IncomingMessage,
    response: ServerResponse,
    otherwise: () => void,
    variant?: HotFileVariant,
  ): boolean {
    const maxAgeMs = recheckMs.get(extname(path))
    const isSimple = request.method === 'GET' || request.method === 'HEAD'
    if (maxAgeMs === undefined || !isSimple || request.headers.range !== undefined) return false
    const nowMs = monotonicMs()
    const file = this.#files.get(path)
    if (file !== undefined && nowMs - file.checkedAtMs <= maxAgeMs) {
      send(file, request, response, nowMs, variant)
      return true
    }
    this.#check(path).then(
      (checked) => {
        if (response.destroyed) return
        if (checked === null) otherwise()
        else send(checked, request, response, monotonicMs(), variant)
      },
      // Whatever is wrong with it, the other way meets it too, and tells.
      () => otherwise(),
    )
    return true
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    for (const [path, { usedAtMs }] of this.#files) if (nowMs - usedAtMs > idleMs) this.#forget(path)
  }

  /** Looks at the file once, however many wait for it. */
  #check(path: string): Promise<HotFile | null> {
    let check = this.#checks.get(path)
    if (check === undefined) {
      check = this.#read(path).finally(() => this.#checks.delete(path))
      this.#checks.set(path, check)
    }
    return check
  }

  async #read(path: string): Promise<HotFile | null> {
    const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
      this.#forget(path)
      if (error.code === 'ENOENT') return null
      throw error
    })
    if (handle === null) return null
    try {
      const nowMs = monotonicMs()
      const stats = await handle.stat()
      const known = this.#files.get(path)
      this.#forget(path)
      if (!stats.isFile() || stats.size > this.#limits.maxFileBytes) return null
      // As @fastify/send makes it, which answers for parts of the same file.
      const etag = `W/"${stats.size.toString(16)}-${stats.mtime.getTime().toString(16)}"`
      const isSame = known?.etag === etag
      const file = isSame ? known : newHotFile(path, await handle.readFile(), etag, stats.mtime)
      file.checkedAtMs = nowMs
      this.#keep(path, file)
      return file
    } finally {
      await handle.close()
    }
  }

  #keep(path: string, file: HotFile): void {
    this.#files.set(path, file)
    this.#bytes += file.bytes.length
    for (const oldest of this.#files.keys()) {
      if (this.#bytes <= this.#limits.maxBytes) break
      this.#forget(oldest)
    }
  }

  #forget(path: string): void {
    const file = this.#files.get(path)
    if (file === undefined) return
    this.#files.delete(path)
    this.#bytes -= file.bytes.length
  }
}

function newHotFile(path: string, bytes: Buffer, etag: string, modified: Date): HotFile {
  const headers = {
    'Content-Type': contentTypeOf(path),
    'Content-Length': bytes.length,
    'Cache-Control': cacheControlOf(path),
    ETag: etag,
    'Last-Modified': modified.toUTCString(),
    'Accept-Ranges': 'bytes',
  }
  return { bytes, etag, headers, modifiedMs: modified.getTime(), checkedAtMs: 0, usedAtMs: 0 }
}

function send(
  file: HotFile,
  request: IncomingMessage,
  response: ServerResponse,
  nowMs: number,
  variant?: HotFileVariant,
): void {
  file.usedAtMs = nowMs
  const cacheControl = variant?.cacheControl ?? file.headers['Cache-Control']
  if (isUnchanged(file, request.headers)) {
    response.writeHead(304, { ETag: file.etag, 'Cache-Control': cacheControl })
    response.end()
    return
  }
  const bytes = variant?.change?.(file.bytes) ?? file.bytes
  const changed = { 'Content-Length': bytes.length, 'Cache-Control': cacheControl }
  response.writeHead(200, variant === undefined ? file.headers : { ...file.headers, ...changed })
  if (request.method === 'HEAD') response.end()
  else response.end(bytes)
}

/** Whether the client has the file as it is (RFC 9110, 13.1.2 and 13.1.3). */
function isUnchanged({ etag, modifiedMs }: HotFile, headers: IncomingMessage['headers']): boolean {
  const known = headers['if-none-match']
  if (known !== undefined) return known === '*' || known.split(',').some((tag) => tag.trim() === etag)
  const since = Date.parse(headers['if-modified-since'] ?? '')
  return Math.floor(modifiedMs / 1000) * 1000 <= since
}
