import type { WorkerStatus } from '../ipc/contract.ts'

/** What `weir ctl` asks the master over its control socket. */
export type ControlRequest = { t: 'status' }

/** What the master answers. */
export type ControlReply = { t: 'status'; status: ServerStatus }

/** The whole server at a glance. */
export interface ServerStatus {
  version: string
  serverId: string
  pid: number
  uptimeMs: number
  configFile: string
  connections: number
  maxConnections: number
  refusedConnections: number
  sources: number
  workers: WorkerStatus[]
}
