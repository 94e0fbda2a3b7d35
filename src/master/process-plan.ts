import { availableParallelism } from 'node:os'
import type { Config, Endpoint } from '../config/config.ts'
import { httpEndpoints, rtmpsEndpoints } from '../config/endpoints.ts'
import type { PoolLimits } from './back-source-pool.ts'

/** How many back-sources there may be. */
export function poolLimits(config: Config): PoolLimits {
  const cores = availableParallelism()
  const maxProcesses = config.maxProcesses === 'auto' ? Math.max(32, 8 * cores) : config.maxProcesses
  return { maxProcesses, spares: config.spareProcesses }
}

/** How many back-sources may boot at the same time: more would only make all of them late. */
export function startsAtOnce(): number {
  return Math.max(2, availableParallelism())
}

/** All addresses that the workers listen on. */
export function endpointsOf(config: Config): Endpoint[] {
  const http = httpEndpoints(config).map(({ endpoint }) => endpoint)
  return [...config.listen, ...rtmpsEndpoints(config), ...http]
}
