import { posix } from 'node:path'
import type { HookSubject } from './hook-body.ts'

/** A segment of HLS that players find from now on. */
export interface HookSegment {
  readonly seq: number
  readonly durationMs: number
  /** Paths of the files, as the configuration has them. */
  readonly file: string
  readonly playlistFile: string
  /** As the playlist names it. */
  readonly uri: string
}

/** How a file below `hls_path` is named in URLs: by its path below it, unless playlists name it by a URL. */
export function fileUrl(hlsPath: string, file: string, uri = ''): string {
  return isAbsolute(uri) ? uri : posix.relative(hlsPath, file)
}

/**
 * The URL that `on_hls_notify` means for a segment. Where playlists name segments by their URL (`hls_entry_prefix`), a
 * template with `[ts_url]` in it is that URL, as in SRS.
 */
export function notifyUrl(template: string, serverId: string, subject: HookSubject, tsUrl: string): string {
  const values: Readonly<Record<string, string>> = {
    '[server_id]': encodePath(serverId),
    '[app]': encodePath(subject.app),
    '[stream]': encodePath(subject.stream),
    '[ts_url]': encodePath(tsUrl),
    '[param]': subject.param,
  }
  if (isAbsolute(tsUrl) && template.includes('[ts_url]')) return tsUrl
  return template.replace(/\[(?:server_id|app|stream|ts_url|param)\]/g, (name) => values[name] ?? name)
}

function isAbsolute(url: string): boolean {
  return /^https?:\/\//.test(url)
}

/** What clients chose as names are names in the URL too, whatever is in them. */
function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}
