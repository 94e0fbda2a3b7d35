/**
 * Media playlists. Source: RFC 8216, 4.3.
 *
 * Segments that have left the playlist but may still be asked for stand in comments, so that a process that takes the
 * stream over knows what to delete in time.
 */

/** How a segment is encrypted (AES-128 in CBC mode). */
export interface PlaylistKey {
  readonly uri: string
  /** The initialization vector, 32 hexadecimal digits. */
  readonly iv: string
}

export interface PlaylistSegment {
  readonly uri: string
  readonly durationMs: number
  /** It does not go on where the one before it ended: another encoder, other codecs, another clock. */
  readonly discontinuity: boolean
  /** Null: it is not encrypted. */
  readonly key: PlaylistKey | null
}

/** A segment that is no longer in the playlist and not deleted yet. */
export interface ExpiredSegment {
  readonly uri: string
  readonly durationMs: number
  readonly keyUri: string | null
}

export interface Playlist {
  /** Seconds. */
  readonly targetDuration: number
  /** Number of the first segment. */
  readonly mediaSequence: number
  /** Discontinuities that have left the playlist. */
  readonly discontinuitySequence: number
  readonly segments: readonly PlaylistSegment[]
  /** The oldest first. */
  readonly expired: readonly ExpiredSegment[]
}

/** Durations with a fraction need version 3. */
const version = 3

const expiredMark = '# expired'

export function writePlaylist(playlist: Playlist): string {
  const lines = [
    '#EXTM3U',
    `#EXT-X-VERSION:${version}`,
    `#EXT-X-TARGETDURATION:${playlist.targetDuration}`,
    `#EXT-X-MEDIA-SEQUENCE:${playlist.mediaSequence}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${playlist.discontinuitySequence}`,
  ]
  for (const { uri, durationMs, keyUri } of playlist.expired) {
    lines.push([expiredMark, seconds(durationMs), uri, ...(keyUri === null ? [] : [keyUri])].join(' '))
  }
  let keyInForce = keyLine(null)
  for (const { uri, durationMs, discontinuity, key } of playlist.segments) {
    if (discontinuity) lines.push('#EXT-X-DISCONTINUITY')
    if (keyLine(key) !== keyInForce) {
      keyInForce = keyLine(key)
      lines.push(keyInForce)
    }
    lines.push(`#EXTINF:${seconds(durationMs)},`, uri)
  }
  return `${lines.join('\n')}\n`
}

function keyLine(key: PlaylistKey | null): string {
  return key === null ? '#EXT-X-KEY:METHOD=NONE' : `#EXT-X-KEY:METHOD=AES-128,URI="${key.uri}",IV=0x${key.iv}`
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}

/**
 * Reads a playlist that {@link writePlaylist} wrote.
 * @returns null if the text is no playlist, or one that was cut off
 */
export function parsePlaylist(text: string): Playlist | null {
  const lines = text.split('\n')
  if (lines[0]?.trim() !== '#EXTM3U' || lines.at(-1) !== '') return null
  const segments: PlaylistSegment[] = []
  const expired: ExpiredSegment[] = []
  const numbers = new Map<string, number>()
  let key: PlaylistKey | null = null
  let durationMs = 0
  let discontinuity = false
  for (const line of lines) {
    const [, name, value] =
      /^#EXT-X-(TARGETDURATION|MEDIA-SEQUENCE|DISCONTINUITY-SEQUENCE):(\d+)$/.exec(line) ?? []
    if (name !== undefined) numbers.set(name, Number(value))
    else if (line === '#EXT-X-DISCONTINUITY') discontinuity = true
    else if (line.startsWith('#EXT-X-KEY:')) key = parseKey(line)
    else if (line.startsWith('#EXTINF:')) durationMs = Math.round(Number.parseFloat(line.slice(8)) * 1000)
    else if (line.startsWith(`${expiredMark} `)) {
      const [length, uri, keyUri] = line.slice(expiredMark.length + 1).split(' ')
      if (uri !== undefined) {
        expired.push({ uri, durationMs: Math.round(Number(length) * 1000), keyUri: keyUri ?? null })
      }
    } else if (line !== '' && !line.startsWith('#')) {
      segments.push({ uri: line, durationMs, discontinuity, key })
      discontinuity = false
    }
  }
  return {
    targetDuration: numbers.get('TARGETDURATION') ?? 0,
    mediaSequence: numbers.get('MEDIA-SEQUENCE') ?? 0,
    discontinuitySequence: numbers.get('DISCONTINUITY-SEQUENCE') ?? 0,
    segments,
    expired,
  }
}

function parseKey(line: string): PlaylistKey | null {
  const [, uri, iv] = /METHOD=AES-128,URI="([^"]*)",IV=0x([0-9a-fA-F]{32})/.exec(line) ?? []
  return uri === undefined || iv === undefined ? null : { uri, iv: iv.toLowerCase() }
}
