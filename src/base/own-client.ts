import { nodeCrypto } from './node-builtins.ts'

/** What a program does that Weir runs, and that connects to Weir as a client. */
export type OwnClientKind = 'transcode' | 'ingest' | 'exec'

const kinds: readonly OwnClientKind[] = ['transcode', 'ingest', 'exec']
const parameter = 'weir_own'

/**
 * What such a program has in the query of its URL, so that it is known: `weir_own=transcode.TOKEN`.
 * @param token a secret of this server, made anew at each start
 */
export function ownClientParam(kind: OwnClientKind, token: string): string {
  return `${parameter}=${kind}.${token}`
}

/**
 * Which of Weir's own programs a client is; null: none.
 * @param param the query of the client's URL, with or without the `?`
 */
export function ownClientKind(param: string, token: string): OwnClientKind | null {
  for (const pair of param.split(/[?&]/)) {
    const [name, value = ''] = pair.split('=', 2)
    if (name !== parameter) continue
    const dot = value.indexOf('.')
    const kind = kinds.find((known) => known === value.slice(0, dot))
    if (kind !== undefined && isEqual(value.slice(dot + 1), token)) return kind
  }
  return null
}

function isEqual(given: string, token: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(token)]
  return token !== '' && a.length === b.length && nodeCrypto().timingSafeEqual(a, b)
}
