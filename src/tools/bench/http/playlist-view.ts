import { WeirError } from '../../../base/errors.ts'
import { type PlaylistSegment, parsePlaylist } from '../../../media/hls/playlist.ts'

/** What a player sees in a playlist (RFC 8216). */
export type PlaylistView =
  /** A list of variants: the first of them. */
  | { readonly kind: 'master'; readonly uri: string }
  | {
      readonly kind: 'media'
      readonly targetMs: number
      /** Number of the first segment. */
      readonly mediaSequence: number
      readonly segments: readonly PlaylistSegment[]
      /** Nothing more will come. */
      readonly ended: boolean
      /** Segments are packets of MPEG-TS in the clear, so that they can be looked at. */
      readonly isPlainTs: boolean
    }

/** @throws WeirError HLS_PLAYLIST when it is none, or lacks what players need */
export function viewPlaylist(text: string): PlaylistView {
  const lines = text.replaceAll('\r', '').trimEnd()
  const [, uri] = /^#EXT-X-STREAM-INF:.*\n+([^#\n].*)$/m.exec(lines) ?? []
  if (uri !== undefined) return { kind: 'master', uri }
  const playlist = parsePlaylist(`${lines}\n`)
  if (playlist === null) throw new WeirError('HLS_PLAYLIST', `a playlist begins with "${lines.slice(0, 20)}"`)
  const { targetDuration, mediaSequence, segments } = playlist
  if (targetDuration === 0) throw new WeirError('HLS_PLAYLIST', 'a playlist has no target duration')
  return {
    kind: 'media',
    targetMs: targetDuration * 1000,
    mediaSequence,
    segments,
    ended: /^#EXT-X-ENDLIST$/m.test(lines),
    isPlainTs: !/^#EXT-X-(?:MAP:|KEY:METHOD=(?!NONE))/m.test(lines),
  }
}
