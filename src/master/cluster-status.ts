import type { RedisRegistry } from '../cluster/redis-registry.ts'
import type { ClusterStatus } from '../ipc/cluster-facts.ts'

/**
 * What the API tells of the cluster; null: there is none.
 * @param start of the page of streams
 */
export async function clusterStatus(
  redis: RedisRegistry | null,
  start: number,
  count: number,
): Promise<ClusterStatus | null> {
  if (redis === null) return null
  const { facts, node } = redis
  // While Redis is away nothing is known of the other nodes.
  const [nodes, page] = await Promise.all([
    redis.nodes().catch(() => []),
    redis.page(start, count).catch(() => ({ total: 0, streams: [] })),
  ])
  return { ...facts, node, nodes, ...page }
}
