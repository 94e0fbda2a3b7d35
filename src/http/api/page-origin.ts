/** Whose page makes a request: what a browser tells of that, and what can be believed of it. */
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { hostname } from 'node:os'
import type { Config } from '../../config/config.ts'
import { hostName, requestTarget } from '../request-target.ts'

/**
 * Who makes a request: a program (curl, a script; or a person who types an address), a page that this server or its
 * operator answers for, or any other page that some browser shows.
 */
export type Maker = 'program' | 'own-page' | 'other-page'

/** What browsers say of a request that a page of another site makes (Fetch Metadata). */
const otherSites: readonly string[] = ['cross-site', 'same-site']

const standardPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

/**
 * Whose page makes a request. Browsers name the page's origin with every request that may change something (Fetch
 * standard, 3.2), and with what a script reads from elsewhere; of scripts and images, `Sec-Fetch-Site` or the referrer
 * may tell. Fetch Metadata is left out over plain HTTP to other machines, so that its absence says nothing.
 */
export function makerOf(config: Config, request: IncomingMessage): Maker {
  const { origin, referer, 'sec-fetch-site': site } = request.headers
  if (origin !== undefined) return isOwnOrigin(config, request, origin) ? 'own-page' : 'other-page'
  if (referer !== undefined)
    return isOwnOrigin(config, request, originOf(referer)) ? 'own-page' : 'other-page'
  if (typeof site !== 'string') return 'program'
  if (otherSites.includes(site)) return 'other-page'
  return site === 'same-origin' && isBelievable(config, requestTarget(request).host) ? 'own-page' : 'program'
}

/**
 * Whether a page of that origin is one of this server's, or `http_api { origins }` names it. Of this server are those
 * of the host that the request names, on the port that it names or on one of http_server or http_api: a page on 8080
 * asks the API on 1985.
 */
export function isOwnOrigin(config: Config, request: IncomingMessage, origin: string): boolean {
  const { httpApi, httpServer } = config
  if (httpApi.origins.includes(origin)) return true
  const url = URL.parse(origin)
  if (url === null || url.origin !== origin || !(url.protocol in standardPorts)) return false
  const { host } = requestTarget(request)
  if (hostName(url.host) !== host || !isBelievable(config, host)) return false
  const port = url.port || standardPorts[url.protocol]!
  const named = /:(\d+)$/.exec(request.headers.host ?? '')?.[1]
  if (named === undefined ? url.port === '' : port === named) return true
  const served = [
    ...(httpApi.enabled ? httpApi.listen : []),
    ...(httpServer.enabled ? httpServer.listen : []),
  ]
  return served.some((endpoint) => String(endpoint.port) === port)
}

/**
 * Whether the host that a request names is the operator's. Any page can have its own name resolve to this machine once it
 * is loaded (DNS rebinding), and is then of the same origin as the API. With a password that is no harm: the browser
 * does not know it for that name. Without, only what nobody else can give away is believed: addresses, names
 * of this machine, and those that the configuration has.
 */
export function isBelievable(config: Config, host: string): boolean {
  const { httpApi } = config
  if (httpApi.auth.enabled || host === '' || isIP(host) !== 0) return true
  if (host === 'localhost' || host.endsWith('.localhost')) return true
  const machine = hostname().toLowerCase()
  if (host === machine || host === `${machine}.local`) return true
  if (httpApi.listen.some((endpoint) => endpoint.host?.toLowerCase() === host)) return true
  if (Object.keys(config.vhosts).some((vhost) => vhost.toLowerCase() === host)) return true
  return httpApi.origins.some((origin) => hostName(URL.parse(origin)?.host ?? '') === host)
}

function originOf(address: string): string {
  return URL.parse(address)?.origin ?? 'null'
}
