import type { FromMaster } from '../ipc/contract.ts'
import type { WorkerHandle } from './worker-handle.ts'

/** Sends a message to the first of the workers that pass, and to no other. @returns what passes them on */
export function tellFirst(message: FromMaster): (worker: WorkerHandle) => WorkerHandle {
  let isTold = false
  return (worker) => {
    if (!isTold) worker.send(message)
    isTold = true
    return worker
  }
}
