/** A server of Redis. */
export interface RedisServer {
  readonly host: string
  readonly port: number
}

/** How to reach Redis: one server, the servers that watch over it (Sentinel), or some of those of a Redis Cluster. */
export interface RedisPlace {
  readonly kind: 'single' | 'sentinel' | 'cluster'
  readonly servers: readonly RedisServer[]
  readonly tls: boolean
  /** '' for none. */
  readonly username: string
  readonly password: string
  /** Number of the database; 0 in a Redis Cluster. */
  readonly database: number
  /** Of a Sentinel: the name of the group whose master is wanted. */
  readonly group: string
}

const form = /^(rediss?)(?:\+(sentinel|cluster))?:\/\/(?:([^\s@/]*)@)?([^\s@/?#]+)(?:\/([^\s?#]*))?$/
const standardPorts = { single: 6379, sentinel: 26_379, cluster: 6379 }

/**
 * Reads where Redis is:
 * - `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`
 * - `redis+sentinel://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]/GROUP[/DATABASE]`
 * - `redis+cluster://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]`
 *
 * and the same with `rediss` over TLS. User and password are percent-encoded; they are those of Redis, not of a Sentinel.
 * @returns null when it is none of these
 */
export function parseRedisUrl(url: string): RedisPlace | null {
  const [, scheme, mode, credentials, hosts, path = ''] = form.exec(url) ?? []
  if (hosts === undefined) return null
  const kind = mode === 'sentinel' || mode === 'cluster' ? mode : 'single'
  const servers = hosts.split(',').map((one) => readServer(one, standardPorts[kind]))
  const login = readCredentials(credentials)
  const names = path === '' ? [] : path.split('/')
  const group = kind === 'sentinel' ? (names.shift() ?? '') : ''
  const [digits = '0', ...rest] = names
  const isComplete = kind !== 'sentinel' || group !== ''
  const isRightDatabase = /^\d{1,4}$/.test(digits) && (kind !== 'cluster' || names.length === 0)
  if (!isComplete || !isRightDatabase || rest.length > 0 || login === null) return null
  if (kind === 'single' && servers.length > 1) return null
  const known = servers.filter((server) => server !== null)
  if (known.length < servers.length) return null
  return { kind, servers: known, tls: scheme === 'rediss', ...login, database: Number(digits), group }
}

function readServer(text: string, standardPort: number): RedisServer | null {
  const [, bracketed, plain, digits] = /^(?:\[([\da-fA-F:.]+)\]|([^:[\],]+))(?::(\d{1,5}))?$/.exec(text) ?? []
  const host = bracketed ?? plain
  const port = digits === undefined ? standardPort : Number(digits)
  return host === undefined || port < 1 || port > 65_535 ? null : { host, port }
}

/** @returns null when it is not percent-encoded rightly */
function readCredentials(text = ''): Pick<RedisPlace, 'username' | 'password'> | null {
  const colon = text.indexOf(':')
  const [user, secret] = colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
  try {
    return { username: decodeURIComponent(user), password: decodeURIComponent(secret) }
  } catch {
    return null
  }
}
