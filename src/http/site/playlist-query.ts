import { credentialParameters } from '../../access/auth.ts'

/** What a client has to give again with each file of a stream: what lets it in, and the virtual host. */
const carried = [...credentialParameters, 'vhost']

/** The part of a client's query that the files of its playlist need too, without a `?`; '': nothing. */
export function carriedQuery(query: URLSearchParams): string {
  const kept = carried.flatMap((name) => {
    const value = query.get(name)
    return value === null ? [] : [`${name}=${encodeURIComponent(value)}`]
  })
  return kept.join('&')
}

/**
 * Puts a query behind every URI of a playlist, segments and keys (RFC 8216, 4.1): players ask for them as they are
 * written there, and bring nothing else along.
 * @param query encoded, without a `?`
 */
export function withQuery(playlist: string, query: string): string {
  const extended = (uri: string): string => `${uri}${uri.includes('?') ? '&' : '?'}${query}`
  return playlist
    .split('\n')
    .map((line) => {
      if (line.trim() === '') return line
      if (!line.startsWith('#')) return extended(line)
      return line.startsWith('#EXT-X-')
        ? line.replace(/\bURI="([^"]+)"/g, (_all, uri: string) => `URI="${extended(uri)}"`)
        : line
    })
    .join('\n')
}
