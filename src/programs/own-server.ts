import { hostname, networkInterfaces } from 'node:os'
import type { Config } from '../config/config.ts'

const rtmpPort = 1935

/** The first address that RTMP is served on, as a program on this machine reaches it: `127.0.0.1:1935`. */
export function ownAddress({ listen }: Pick<Config, 'listen'>): {
  readonly host: string
  readonly port: number
} {
  const { host = null, port = rtmpPort } = listen[0] ?? {}
  if (host === null || host === '0.0.0.0') return { host: '127.0.0.1', port }
  if (host === '::') return { host: '[::1]', port }
  return { host: host.includes(':') ? `[${host}]` : host, port }
}

/** Whether a URL leads to this server, as far as it can be told without asking anybody for the address of a name. */
export function isOwnServer(url: string, config: Pick<Config, 'listen' | 'vhosts'>): boolean {
  if (!url.startsWith('rtmp://') || !URL.canParse(url)) return false
  const { hostname: bracketed, port } = new URL(url)
  if (!config.listen.some((endpoint) => endpoint.port === Number(port || rtmpPort))) return false
  const host = bracketed.replace(/^\[(.*)\]$/, '$1').toLowerCase()
  return isLoopback(host) || (host !== '' && namesOfThis(config).has(host))
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host)
}

function namesOfThis({ listen, vhosts }: Pick<Config, 'listen' | 'vhosts'>): Set<string> {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const names = [
    hostname(),
    ...addresses.map(({ address }) => address),
    ...listen.map(({ host }) => host ?? ''),
    ...Object.keys(vhosts),
  ]
  return new Set(names.map((name) => name.toLowerCase()))
}
