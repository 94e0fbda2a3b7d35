import type { IncomingMessage } from 'node:http'
import { posix } from 'node:path'
import type { Config, VhostConfig } from '../../config/config.ts'
import { defaultVhost, vhostNameOf } from '../../config/vhost-of.ts'
import { type StreamKey, splitStreamId, streamId } from '../../live/stream-key.ts'
import { requestTarget } from '../request-target.ts'
import { decodePath } from '../site/file-target.ts'
import { hlsPaths } from '../site/hls-mounts.ts'
import { patternOf } from '../site/hls-streams.ts'

/** A file of HLS that another server has. */
export interface EdgeTarget {
  /** Name of the virtual host. */
  readonly name: string
  readonly vhost: VhostConfig
  /** Whose it is; null: its name is none that `hls_m3u8_file` and its siblings give. */
  readonly stream: StreamKey | null
  readonly isPlaylist: boolean
  /** Path and query, written alike by everybody who asks for the same. */
  readonly path: string
  /** The virtual host to ask for there; '': that of the server's own address. */
  readonly upstreamVhost: string
}

const playlists = new Set(['.m3u8', '.m3u'])

/** What playlists name: segments, initialization sections, keys, subtitles. */
const fragments = new Set(['.ts', '.m4s', '.m4f', '.mp4', '.aac', '.mp3', '.ac3', '.vtt', '.webvtt', '.key'])

/** Longer addresses are of nothing that a playlist names. */
const maxPathLength = 1024

interface EdgeVhost {
  readonly vhost: VhostConfig
  readonly patterns: readonly RegExp[]
  /** Endings of live streams over HTTP, which fragments have as well. */
  readonly liveEndings: ReadonlySet<string>
  readonly upstreamVhost: string
}

/** Which requests are for HLS that another server may have. */
export class EdgeTargets {
  readonly #config: Config
  readonly #vhosts: ReadonlyMap<string, EdgeVhost>

  /** @param concerns the virtual hosts of which there may be any */
  constructor(config: Config, concerns: (vhost: VhostConfig) => boolean) {
    this.#config = config
    this.#vhosts = new Map(
      Object.entries(config.vhosts)
        .filter(([, vhost]) => vhost.enabled && concerns(vhost))
        .map(([name, vhost]) => [name, edgeVhost(name, vhost)]),
    )
  }

  get isEmpty(): boolean {
    return this.#vhosts.size === 0
  }

  /** The virtual hosts, by name. */
  get names(): Iterable<string> {
    return this.#vhosts.keys()
  }

  /** @returns null when a request is for nothing of the kind */
  find(request: IncomingMessage): EdgeTarget | null {
    if (this.#vhosts.size === 0) return null
    const { host, path: encoded, query } = requestTarget(request)
    const name = vhostNameOf(this.#config, query.get('vhost') || host)
    const edge = name === null ? undefined : this.#vhosts.get(name)
    if (name === null || edge === undefined || encoded.length > maxPathLength) return null
    const decoded = decodePath(encoded)
    if (decoded === null) return null
    const ending = posix.extname(decoded).toLowerCase()
    const isPlaylist = playlists.has(ending)
    if (!isPlaylist && !fragments.has(ending)) return null
    const { vhost, patterns, liveEndings, upstreamVhost } = edge
    const stream = streamOf(name, decoded, patterns)
    if (stream === null && liveEndings.has(ending)) return null
    const path = canonicalPath(decoded, query, vhost)
    return { name, vhost, stream, isPlaylist, path, upstreamVhost }
  }

  /**
   * The path that a URI of a playlist leads to, as {@link EdgeTarget} has it.
   * @param base the playlist's own
   * @returns null: it is on another server, or nothing that is served
   */
  static resolve(uri: string, base: string, vhost: VhostConfig): string | null {
    const url = URL.parse(uri, `http://${placeholder}${base}`)
    if (url === null || url.host !== placeholder) return null
    const decoded = decodePath(url.pathname)
    return decoded === null ? null : canonicalPath(decoded, url.searchParams, vhost)
  }
}

const placeholder = 'edge.invalid'

function edgeVhost(name: string, vhost: VhostConfig): EdgeVhost {
  const { hls, httpRemux, cluster } = vhost
  const upstreamVhost = cluster.vhost.replaceAll('[vhost]', name)
  return {
    vhost,
    patterns: Object.values(hlsPaths(hls)).map((template) => patternOf(template, name)),
    liveEndings: new Set(httpRemux.enabled ? httpRemux.mount.map((mount) => posix.extname(mount)) : []),
    upstreamVhost: upstreamVhost === defaultVhost ? '' : upstreamVhost,
  }
}

function streamOf(vhost: string, path: string, patterns: readonly RegExp[]): StreamKey | null {
  for (const pattern of patterns) {
    const groups = pattern.exec(path)?.groups
    if (groups?.stream === undefined) continue
    // As one string the parts are the same however they are told apart.
    return splitStreamId(streamId({ vhost, app: groups.app ?? '', stream: groups.stream }))
  }
  return null
}

function canonicalPath(decoded: string, query: URLSearchParams, { cluster }: VhostConfig): string {
  const path = decoded.split('/').map(encodeURIComponent).join('/')
  const passed = new URLSearchParams()
  for (const name of cluster.hlsOriginQuery) {
    const value = query.get(name)
    if (value !== null) passed.set(name, value)
  }
  return passed.size === 0 ? path : `${path}?${passed}`
}
