/** What an edge has to know of a playlist that another server wrote. Source: RFC 8216, 4.3. */
export interface PlaylistFacts {
  /** How long it is passed on as it is, in milliseconds. */
  readonly freshMs: number
  /** How long it is better than none, in milliseconds. */
  readonly usableMs: number
  /** When it does not change for so long, in milliseconds, its stream stands still; Infinity: it is complete. */
  readonly stillMs: number
  /** The number behind that of its last segment. */
  readonly end: number
  /** Segments, keys and other playlists, as it names them. */
  readonly uris: readonly string[]
}

/** A playlist is passed on for this part of a segment's length, and between these bounds, in milliseconds. */
const freshPart = 1 / 4
const leastFreshMs = 100
const mostFreshMs = 2000

/** Of a playlist of playlists. */
const masterFreshMs = 1000

/** A playlist changes with each segment, and at the latest after so many of its longest (RFC 8216, 6.2.1). */
const stillSegments = 1.5

/** When its server is down, a playlist is given out for so many target durations: a player has no more to play then. */
const usableTargets = 3
const leastUsableMs = 3000
const mostUsableMs = 60_000

/** @returns null: it is no playlist, or one that was cut off */
export function readPlaylist(text: string): PlaylistFacts | null {
  const lines = text.split(/\r?\n/)
  if (lines[0]?.replace(/^\ufeff/, '').trim() !== '#EXTM3U') return null
  const uris: string[] = []
  let segmentMs: number | null = null
  let longestMs = 0
  let targetMs = 0
  let end = 0
  let isComplete = false
  for (const line of lines) {
    if (line.startsWith('#EXTINF:')) {
      segmentMs = numberOf(line.slice(8)) * 1000
      longestMs = Math.max(longestMs, segmentMs)
      end += 1
    } else if (line.startsWith('#EXT-X-MEDIA-SEQUENCE:')) end += numberOf(line.slice(22))
    else if (line.startsWith('#EXT-X-ENDLIST')) isComplete = true
    else if (line.startsWith('#EXT-X-TARGETDURATION:')) targetMs = numberOf(line.slice(22)) * 1000
    else if (line.startsWith('#')) {
      const uri = /\bURI="([^"]+)"/.exec(line)?.[1]
      if (uri !== undefined) uris.push(uri)
    } else if (line.trim() !== '') uris.push(line.trim())
  }
  const freshMs = segmentMs === null ? masterFreshMs : clamp(segmentMs * freshPart, leastFreshMs, mostFreshMs)
  const usableMs = clamp(targetMs * usableTargets, leastUsableMs, mostUsableMs)
  const isLive = segmentMs !== null && !isComplete
  const stillMs = isLive ? Math.max(longestMs * stillSegments, freshMs) : Number.POSITIVE_INFINITY
  return { freshMs, usableMs, stillMs, end, uris }
}

/**
 * A playlist without the virtual host that its server was asked for: here it has another name, or needs none.
 * @param text as its server wrote it
 */
export function withoutVhost(text: string): string {
  if (!text.includes('vhost=')) return text
  return text
    .replace(/([?&])vhost=[^&"\s]*/g, (_all, before: string) => before)
    .replace(/([?&])&/g, '$1')
    .replace(/[?&](?=["\s]|$)/g, '')
}

function numberOf(text: string): number {
  const value = Number.parseFloat(text)
  return Number.isFinite(value) && value > 0 ? value : 0
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most)
}
