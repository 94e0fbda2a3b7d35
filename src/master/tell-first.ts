import type { FromMaster } from '../ipc/contract.ts'
import type { WorkerHandle, WorkerListener } from './worker-handle.ts'

type Spawn = (listener: WorkerListener) => WorkerHandle

/** Sends a message to the first of the workers that are spawned, and to no other. */
export function tellFirst(message: FromMaster, spawn: Spawn): Spawn {
  let isTold = false
  return (listener) => {
    const worker = spawn(listener)
    if (!isTold) worker.send(message)
    isTold = true
    return worker
  }
}
