import { extname } from 'node:path'

/** How long what is never written again may be kept, in seconds: a segment has its number in its name. */
const segmentSeconds = 3600

/** Segments of HLS and DASH. */
const segments = new Set(['.ts', '.m4s', '.m4f'])

/**
 * How caches may keep a file. Segments may be kept; playlists and everything else has to be asked for again, which
 * costs an answer without a body (ETag) when nothing has changed.
 * @param isPrivate it is not for everybody: only the client itself may keep it
 */
export function cacheControlOf(path: string, isPrivate = false): string {
  if (!segments.has(extname(path))) return isPrivate ? 'private, no-cache' : 'no-cache'
  return `${isPrivate ? 'private' : 'public'}, max-age=${segmentSeconds}`
}
