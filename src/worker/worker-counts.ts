import { availableParallelism } from 'node:os'
import type { Config } from '../config/config.ts'

/** Without it only one worker can listen on a port. */
export const canReusePort = process.platform === 'linux'

/** How many stream workers there are. */
export function streamWorkers(config: Config): number {
  if (!canReusePort) return 1
  return config.workerProcesses === 'auto' ? availableParallelism() : config.workerProcesses
}

/** How many HTTP workers there are: none as long as nothing is to be served over HTTP; one at least sends heartbeats. */
export function httpWorkers(config: Config): number {
  const { httpApi, httpServer, exporter, heartbeat } = config
  const fewest = heartbeat.enabled ? 1 : 0
  if (!httpApi.enabled && !httpServer.enabled && !exporter.enabled) return fewest
  return Math.max(fewest, canReusePort ? config.httpWorkers : Math.min(1, config.httpWorkers))
}
