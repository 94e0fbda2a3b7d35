/** A segment of a playlist that is complete. */
export interface VodEntry {
  readonly uri: string
  readonly durationMs: number
  /** Other codecs or another time begin with it. */
  readonly discontinuity: boolean
}

/** A playlist to which nothing more comes. Source: RFC 8216, 4.3.3.4 and 4.3.3.5. */
export function vodPlaylist(entries: readonly VodEntry[]): string {
  const longestMs = entries.reduce((longest, { durationMs }) => Math.max(longest, durationMs), 0)
  const lines = [
    '#EXTM3U',
    '#EXT-X-VERSION:3',
    `#EXT-X-TARGETDURATION:${Math.max(1, Math.ceil(longestMs / 1000))}`,
    '#EXT-X-MEDIA-SEQUENCE:0',
    '#EXT-X-PLAYLIST-TYPE:VOD',
  ]
  for (const { uri, durationMs, discontinuity } of entries) {
    if (discontinuity) lines.push('#EXT-X-DISCONTINUITY')
    // Six digits: of a long recording the rest would add up.
    lines.push(`#EXTINF:${(durationMs / 1000).toFixed(6)},`, uri)
  }
  lines.push('#EXT-X-ENDLIST')
  return `${lines.join('\n')}\n`
}
