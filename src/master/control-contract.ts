import type { ServerFacts, WorkerStatus } from '../ipc/contract.ts'

/** What `weir ctl` asks the master over its control socket. */
export type ControlRequest = { t: 'status' }

/** What the master answers. */
export type ControlReply = { t: 'status'; status: ServerStatus }

/** The whole server at a glance. */
export interface ServerStatus extends ServerFacts {
  workers: WorkerStatus[]
}
