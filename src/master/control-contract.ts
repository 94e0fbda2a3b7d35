import type { ServerFacts, WorkerRole, WorkerStatus } from '../ipc/contract.ts'

/** What `weir ctl` asks the master over its control socket. */
export type ControlRequest = { t: 'status' }

/** What the master answers. */
export type ControlReply = { t: 'status'; status: ServerStatus }

/** The whole server at a glance. */
export interface ServerStatus extends ServerFacts {
  workers: WorkerStatus[]
  /** Processes that could not be asked. */
  silent: SilentWorker[]
}

/** A process that tells nothing of itself: it starts, or it hangs. */
export interface SilentWorker {
  role: WorkerRole
  index: number
  pid: number
  state: 'starting' | 'no answer'
}
