/**
 * What the server tells its pages, as JSON at `/console/server.json`. The pages (web/) import these types; so nothing but
 * types is here.
 */

/** What the pages have to know of the server, as JSON. Nothing in it is a secret: every visitor may ask. */
export interface PageFacts {
  readonly version: string
  /** Origin of the API: `http://host:1985`, '' if it is that of the page, null if there is none. */
  readonly api: string | null
  /** Origin of live streams and files, likewise. */
  readonly site: string | null
  /** Port that takes RTMP. */
  readonly rtmpPort: number
  /** Where the streams of the virtual host are that the page asked for; null if that one is not served. */
  readonly vhost: VhostFacts | null
}

/** Where the streams of a virtual host are, on the {@link PageFacts.site}. */
export interface VhostFacts {
  readonly name: string
  /** What a URL needs so that it leads to this virtual host: `?vhost=NAME`, '' if its host does. */
  readonly query: string
  readonly live: readonly LiveAddress[]
  /** Path of playlists, with `[app]` and `[stream]` in it; null without HLS, or when its files are served elsewhere. */
  readonly hls: string | null
}

/** A format that live streams have over HTTP and WebSocket. */
export interface LiveAddress {
  readonly kind: 'flv' | 'ts' | 'aac' | 'mp3'
  /** With `[app]` and `[stream]` in it. */
  readonly path: string
}
