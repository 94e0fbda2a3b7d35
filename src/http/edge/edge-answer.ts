import type { IncomingMessage, ServerResponse } from 'node:http'
import { cacheControlOf } from '../site/file-headers.ts'
import { withQuery } from '../site/playlist-query.ts'
import { rangeOf } from '../vod/mp4-download.ts'
import type { EdgeFile } from './edge-store.ts'

/** How the answer to one client differs from what everybody gets. */
export interface EdgeVariant {
  /** It is for this client alone. */
  readonly isPrivate: boolean
  /** What the files of a playlist are to be asked for with, without a `?`; '': nothing. */
  readonly query: string
  /** How the file was had: the parameters of `Cache-Status` (RFC 9211). */
  readonly how: string
}

/** Sends a file of another server: all of it or a part, or that nothing has changed. */
export function sendEdgeFile(
  file: EdgeFile,
  request: IncomingMessage,
  response: ServerResponse,
  nowMs: number,
  { isPrivate, query, how }: EdgeVariant,
): void {
  if (response.headersSent || response.destroyed) return
  const { etag, fetchedAtMs, contentType, playlist } = file
  const common = {
    'Cache-Control': cacheControlOf(file.path.replace(/\?.*$/s, ''), isPrivate),
    'Cache-Status': `Weir; ${how}`,
    ETag: etag,
    Age: Math.max(0, Math.floor((nowMs - fetchedAtMs) / 1000)),
  }
  if (request.headers['if-none-match']?.split(',').some((tag) => isSame(tag, etag))) {
    response.writeHead(304, common)
    response.end()
    return
  }
  const isChanged = playlist !== null && query !== ''
  const bytes = isChanged ? Buffer.from(withQuery(file.bytes.toString(), query)) : file.bytes
  // A part of a playlist of one's own would not be that part of what the others have.
  const range = isChanged ? 'whole' : rangeOf(request.headers, bytes.length, etag)
  const headers = { ...common, 'Content-Type': contentType, 'Accept-Ranges': 'bytes' }
  if (range === 'unsatisfiable') {
    response.writeHead(416, { ...common, 'Content-Range': `bytes */${bytes.length}`, 'Content-Length': 0 })
    response.end()
    return
  }
  if (range === 'whole') response.writeHead(200, { ...headers, 'Content-Length': bytes.length })
  else {
    const { start, end } = range
    response.writeHead(206, {
      ...headers,
      'Content-Length': end - start,
      'Content-Range': `bytes ${start}-${end - 1}/${bytes.length}`,
    })
  }
  if (request.method === 'HEAD') response.end()
  else response.end(range === 'whole' ? bytes : bytes.subarray(range.start, range.end))
}

/** By the weak comparison (RFC 9110, 8.8.3.2), as `If-None-Match` wants it. */
function isSame(tag: string, etag: string): boolean {
  const trimmed = tag.trim()
  return trimmed === '*' || trimmed.replace(/^W\//, '') === etag
}
