import type { Config, Endpoint } from './config.ts'
import type { TlsPaths } from './tls-files.ts'

/**
 * An address that HTTP is served on, and what is served there: the API, the site (files and live streams), or both; or
 * metrics alone.
 */
export interface HttpEndpoint {
  readonly endpoint: Endpoint
  readonly api: boolean
  readonly site: boolean
  /** Over TLS with these; null: in the clear. */
  readonly tls: TlsPaths | null
  readonly exporter: boolean
}

/** An endpoint as it is written in a configuration: `1935`, `127.0.0.1:1935`, `[::1]:1935`. */
export function endpointName({ host, port }: Endpoint): string {
  if (host === null) return String(port)
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * The addresses of `http_api` and `http_server`, of their `https`, and of `exporter`, each once: the first two may share
 * one, as in SRS, over TLS too if they have the same certificate.
 */
export function httpEndpoints({ httpApi, httpServer, exporter }: Config): HttpEndpoint[] {
  const found = new Map<string, HttpEndpoint>()
  const add = (
    endpoints: readonly Endpoint[],
    tls: TlsPaths | null,
    what: 'api' | 'site' | 'exporter',
  ): void => {
    for (const endpoint of endpoints) {
      const name = [endpointName(endpoint), tls?.cert, tls?.key].join(' ')
      const known = found.get(name) ?? { endpoint, api: false, site: false, tls, exporter: false }
      found.set(name, { ...known, [what]: true })
    }
  }
  for (const [what, section] of [
    ['api', httpApi],
    ['site', httpServer],
  ] as const) {
    if (!section.enabled) continue
    add(section.listen, null, what)
    if (section.https.enabled) add(section.https.listen, section.https, what)
  }
  if (exporter.enabled) add(exporter.listen, null, 'exporter')
  return [...found.values()]
}

/** The addresses of `rtmps`. */
export function rtmpsEndpoints({ rtmps }: Config): readonly Endpoint[] {
  return rtmps.enabled ? rtmps.listen : []
}

/**
 * Whether two protocols, or metrics and other HTTP, are told to listen on one address. Ports are shared between processes, so
 * that the system would allow it, and deal each client to either by chance.
 * @returns what is wrong, in one sentence, or null
 */
export function endpointClash(config: Config): string | null {
  const taken = new Map<string, string>()
  for (const { who, endpoint } of listened(config)) {
    if (endpoint.port === 0) continue
    const name = endpointName(endpoint)
    const other = taken.get(name)
    if (other !== undefined && other !== who)
      return `listen ${name} is for ${other}, and ${who} listens on ${name} too`
    taken.set(name, who)
  }
  for (const { endpoint, api, site, exporter } of httpEndpoints(config)) {
    if (!exporter || (!api && !site)) continue
    const section = api ? 'http_api' : 'http_server'
    return `exporter listens on ${endpointName(endpoint)}, and ${section} too: the exporter needs an address of its own`
  }
  return null
}

/** Each address with who listens there, as {@link endpointClash} names it. */
function listened(config: Config): { who: string; endpoint: Endpoint }[] {
  return [
    ...config.listen.map((endpoint) => ({ who: 'RTMP', endpoint })),
    ...rtmpsEndpoints(config).map((endpoint) => ({ who: 'rtmps', endpoint })),
    ...httpEndpoints(config).map(({ endpoint, api, site, tls }) => ({
      who: `${api ? 'http_api' : site ? 'http_server' : 'exporter'}${tls === null ? '' : ' { https }'}`,
      endpoint,
    })),
  ]
}
