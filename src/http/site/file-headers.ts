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

const contentTypes: Readonly<Record<string, string>> = {
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.m3u': 'application/vnd.apple.mpegurl',
  '.mpd': 'application/dash+xml',
  '.ts': 'video/mp2t',
  '.m4s': 'video/iso.segment',
  '.mp4': 'video/mp4',
  '.aac': 'audio/aac',
  '.mp3': 'audio/mpeg',
  '.ac3': 'audio/ac3',
  '.vtt': 'text/vtt; charset=utf-8',
  '.webvtt': 'text/vtt; charset=utf-8',
}

/** What playlists, segments and what belongs to them are, by their endings. */
export function contentTypeOf(path: string): string {
  return contentTypes[extname(path).toLowerCase()] ?? 'application/octet-stream'
}
