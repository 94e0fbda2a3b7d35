import type { ProcessView } from '../views.ts'
import type { WorkerData } from './schema/server.ts'

/** A process as the API tells it. */
export function workerData({ role, index, pid, status, state }: ProcessView): WorkerData {
  const process = { role, index, pid, state }
  if (status === null) return process
  return {
    ...process,
    uptime: status.uptimeMs / 1000,
    cpu_ms: status.cpuMs,
    cpu_percent: status.cpuShare,
    rss_bytes: status.rssBytes,
    event_loop: { utilization: status.eventLoopUtilization, delay_ms: status.eventLoopDelayMs },
    connections: status.connections,
    streams: status.streams.length,
  }
}
