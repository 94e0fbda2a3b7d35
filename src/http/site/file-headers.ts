import { extname } from 'node:path'

/** How long what is never written again may be kept, in seconds: a segment has its number in its name. */
const segmentSeconds = 3600

/** Segments of HLS and DASH. */
const segments = new Set(['.ts', '.m4s', '.m4f'])

/**
 * How caches may keep a file. Segments may be kept; playlists and everything else has to be asked for again, which
 * costs an answer without a body (ETag) when nothing has changed.
 */
export function cacheControlOf(path: string): string {
  return segments.has(extname(path)) ? `public, max-age=${segmentSeconds}` : 'no-cache'
}
