import type { Config } from './config.ts'
import { parseRedisUrl } from './redis-url.ts'

/**
 * Whether the global `cluster { }` can be obeyed.
 * @returns what is wrong, in one sentence without the password of Redis, or null
 */
export function clusterProblem({ cluster }: Config): string | null {
  if (cluster.registry === 'memory') return null
  if (cluster.node === '') return 'cluster { registry redis; } needs the name of this server: node NAME'
  if (cluster.advertise === '') {
    return 'cluster { registry redis; } needs the address of this server: advertise rtmp://IP:PORT'
  }
  const urls = [
    ['advertise', cluster.advertise],
    ['advertise_http', cluster.advertiseHttp],
  ] as const
  for (const [name, url] of urls) {
    if (url !== '' && !URL.canParse(url)) return `cluster { ${name} } has ${url}, which is no URL`
  }
  if (parseRedisUrl(cluster.redis) !== null) return null
  return (
    'cluster { redis } is not redis://HOST:PORT, redis+sentinel://HOST:PORT,…/GROUP or redis+cluster://HOST:PORT,…, ' +
    'with user:password@ before the first host if there are any (percent-encoded)'
  )
}
