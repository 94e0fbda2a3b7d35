import { relative, resolve, sep } from 'node:path'
import { version } from '../../base/version.ts'
import type { Config, Endpoint, VhostConfig } from '../../config/config.ts'
import { vhostNameOf, vhostOf } from '../../config/vhost-of.ts'
import { liveKinds } from '../live/live-formats.ts'
import { mountAddress } from '../mount-address.ts'
import type { Face } from '../ports.ts'
import { hlsMountPath } from '../site/hls-mounts.ts'
import type { LiveAddress, PageFacts, VhostFacts } from './page-contract.ts'

/** What of a request decides which facts are right for it. */
export interface PageVisit {
  readonly face: Face
  /** Host that the request names, in lower case, without port and brackets. */
  readonly host: string
  /** Port that the request names; 80 if none. */
  readonly namedPort: number
  /** Port that it came in on. */
  readonly localPort: number
  /** Virtual host that it asks for; null: the one of its host. */
  readonly vhost: string | null
}

/**
 * The facts for a page. Behind a proxy or a mapped port, which shows by a port that is not the one the request came
 * in on, the ports of the configuration say nothing to a browser: everything is taken to be where the page is.
 */
export function pageFacts(config: Config, visit: PageVisit): PageFacts {
  const { httpApi, httpServer, listen } = config
  const isDirect = visit.namedPort === visit.localPort
  const originOf = (own: Face, endpoints: readonly Endpoint[]): string => {
    if (!isDirect || visit.face === own || visit.face === 'both') return ''
    return `http://${authority(visit.host, nearest(endpoints, visit.host))}`
  }
  return {
    version,
    api: httpApi.enabled ? originOf('api', httpApi.listen) : null,
    site: httpServer.enabled ? originOf('site', httpServer.listen) : null,
    rtmpPort: nearest(listen, visit.host),
    vhost: vhostFacts(config, visit),
  }
}

function vhostFacts(config: Config, { host, vhost: asked }: PageVisit): VhostFacts | null {
  const name = vhostNameOf(config, asked || host)
  const vhost = name === null ? null : vhostOf(config, name)
  if (name === null || vhost === null) return null
  const query = vhostNameOf(config, host) === name ? '' : `?vhost=${encodeURIComponent(name)}`
  const withName = (path: string): string => path.replaceAll('[vhost]', name)
  return {
    name,
    query,
    live: liveMounts(vhost, host).map(({ kind, path }) => ({ kind, path: withName(path) })),
    hls: withName(playlistPath(config, vhost, host) ?? '') || null,
  }
}

function liveMounts({ httpRemux }: VhostConfig, host: string): LiveAddress[] {
  if (!httpRemux.enabled) return []
  return httpRemux.mount.flatMap((mount) => {
    const address = mountAddress(mount)
    const kind = liveKinds.find((known) => address.path.endsWith(`.${known}`))
    return kind && (address.host === null || address.host === host) ? [{ kind, path: address.path }] : []
  })
}

/** The path that playlists are served at: `hls_mount`, or below `http_server`'s directory or that of the virtual host. */
function playlistPath(config: Config, { hls, httpStatic }: VhostConfig, asked: string): string | null {
  if (!hls.enabled || !config.httpServer.enabled) return null
  if (hls.hlsStorage !== 'disk') return hlsMountPath(hls, asked)
  const { host, path } = mountAddress(httpStatic.mount)
  const roots = [
    ...(httpStatic.enabled && host === null ? [{ prefix: path, dir: httpStatic.dir }] : []),
    { prefix: '/', dir: config.httpServer.dir },
  ]
  for (const { prefix, dir } of roots) {
    const below = relative(resolve(dir), resolve(hls.hlsPath))
    if (below === '..' || below.startsWith(`..${sep}`)) continue
    const parts = [...prefix.split('/'), ...below.split(sep), ...hls.hlsM3u8File.split('/')]
    return `/${parts.filter((part) => part !== '' && part !== '.').join('/')}`
  }
  return null
}

/** The port among some that a client of that host gets to: one that listens everywhere, or there. */
function nearest(endpoints: readonly Endpoint[], host: string): number {
  const found = endpoints.find((endpoint) => endpoint.host === null || endpoint.host === host)
  return (found ?? endpoints[0])?.port ?? 80
}

function authority(host: string, port: number): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === 80 ? name : `${name}:${port}`
}
