import type { PageFacts, VhostFacts } from '../../../src/http/pages/page-contract.ts'

/** The ways to play in a page, in the order in which a person is offered them. */
export const protocols = ['http-flv', 'ws-flv', 'hls', 'http-ts', 'ws-ts', 'file'] as const
export type Protocol = (typeof protocols)[number]

export const protocolNames: Readonly<Record<Protocol, string>> = {
  'http-flv': 'HTTP-FLV',
  'ws-flv': 'WS-FLV',
  'http-ts': 'HTTP-TS',
  'ws-ts': 'WS-TS',
  hls: 'HLS',
  file: 'File',
}

/** Where a stream plays, and how. */
export interface PlayAddress {
  readonly protocol: Protocol
  readonly url: string
}

/** A stream of the virtual host that the facts tell of. */
export interface StreamName {
  readonly app: string
  readonly stream: string
}

/**
 * Every address that a stream has for players in a page.
 * @param pageUrl of the page, for what the server says relative to it
 */
export function addressesOf(facts: PageFacts, name: StreamName, pageUrl: string): PlayAddress[] {
  const { site, vhost } = facts
  if (site === null || vhost === null) return []
  const origin = site === '' ? new URL(pageUrl).origin : site
  const found: PlayAddress[] = []
  for (const { kind, path } of vhost.live) {
    if (kind !== 'flv' && kind !== 'ts') continue
    const url = origin + fill(path, name) + vhost.query
    found.push({ protocol: `http-${kind}`, url }, { protocol: `ws-${kind}`, url: url.replace(/^http/, 'ws') })
  }
  if (vhost.hls !== null) {
    found.push({ protocol: 'hls', url: origin + fill(vhost.hls, name) + vhost.query })
  }
  return found.toSorted((a, b) => protocols.indexOf(a.protocol) - protocols.indexOf(b.protocol))
}

/** What a URL that somebody gave plays. */
export interface Playable {
  readonly addresses: readonly PlayAddress[]
  /** Index of the address that was given; the others are the same stream by other protocols. */
  readonly chosen: number
}

/**
 * Reads a URL to play: of HTTP, WebSocket or RTMP, or a path on this server.
 * @returns null when it is none, or nothing that plays in a page
 */
export function readPlayUrl(facts: PageFacts, text: string, pageUrl: string): Playable | null {
  const base = facts.site === null || facts.site === '' ? pageUrl : facts.site
  const url = URL.parse(text.trim(), base)
  if (url === null) return null
  if (url.protocol === 'rtmp:' || url.protocol === 'rtmps:') {
    const name = rtmpName(url)
    const addresses = name === null ? [] : addressesOf(facts, name, pageUrl)
    return addresses.length === 0 ? null : { addresses, chosen: 0 }
  }
  const protocol = protocolOf(url)
  if (protocol === null) return null
  const name = facts.vhost && streamAt(facts.vhost, url.pathname)
  const siblings = name === null ? [] : addressesOf(facts, name, pageUrl)
  const chosen = siblings.findIndex((address) => address.protocol === protocol)
  const isHere = chosen >= 0 && new URL(siblings[chosen]!.url).host === url.host
  // What the URL says beside its path (a token) is kept.
  if (!isHere) return { addresses: [{ protocol, url: url.href }], chosen: 0 }
  return { addresses: siblings.with(chosen, { protocol, url: url.href }), chosen }
}

function protocolOf({ protocol, pathname }: URL): Protocol | null {
  const ending = /\.(\w+)$/.exec(pathname)?.[1]
  const isSocket = protocol === 'ws:' || protocol === 'wss:'
  if (!isSocket && protocol !== 'http:' && protocol !== 'https:') return null
  if (ending === 'flv' || ending === 'ts') return `${isSocket ? 'ws' : 'http'}-${ending}`
  if (isSocket) return null
  if (ending === 'm3u8') return 'hls'
  return ['mp4', 'm4v', 'webm', 'mp3', 'aac', 'm4a'].includes(ending ?? '') ? 'file' : null
}

/** The stream of `rtmp://host/app/stream`; the application may have several parts. */
function rtmpName({ pathname }: URL): StreamName | null {
  const at = pathname.lastIndexOf('/')
  const [app, stream] = [decode(pathname.slice(1, at)), decode(pathname.slice(at + 1))]
  return app && stream ? { app, stream } : null
}

/** The stream whose live address or playlist a path is. */
function streamAt({ live, hls }: VhostFacts, pathname: string): StreamName | null {
  for (const template of [...live.map(({ path }) => path), ...(hls === null ? [] : [hls])]) {
    const pattern = template
      .split(/(\[app\]|\[stream\])/)
      .map((part) => {
        if (part === '[app]') return '(?<app>.+)'
        if (part === '[stream]') return '(?<stream>[^/]+)'
        return part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
      })
      .join('')
    const groups = new RegExp(`^${pattern}$`).exec(pathname)?.groups
    const [app, stream] = [decode(groups?.app ?? ''), decode(groups?.stream ?? '')]
    if (app && stream) return { app, stream }
  }
  return null
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

function fill(template: string, { app, stream }: StreamName): string {
  const encoded = (name: string): string => name.split('/').map(encodeURIComponent).join('/')
  return template.replaceAll(/\[(app|stream)\]/g, (_, part) => encoded(part === 'app' ? app : stream))
}
