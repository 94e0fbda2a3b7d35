import { codeOf, WeirError } from '../base/errors.ts'
import type { ServerStatus } from './control-contract.ts'
import { askMaster } from './control-server.ts'
import { masterOf } from './pid-file.ts'
import { boundControlSocket, controlSocketOf } from './runtime-dir.ts'

/** What `weir ctl` can ask for by a signal. */
export const controlSignals = {
  reload: 'SIGHUP',
  stop: 'SIGTERM',
  quit: 'SIGQUIT',
  reopen: 'SIGUSR1',
} as const satisfies Record<string, NodeJS.Signals>

/** Where a running server is found. */
export interface ServerPlace {
  readonly pid: string
  /** Null when the configuration is not known: then the system has to tell where the master listens. */
  readonly runtimeDir: string | null
}

/**
 * Sends the signal of an action to the running master.
 * @returns its pid
 * @throws WeirError NOT_RUNNING
 */
export function signalMaster(place: ServerPlace, action: keyof typeof controlSignals): number {
  const pid = runningMaster(place)
  try {
    process.kill(pid, controlSignals[action])
  } catch (error) {
    throw new WeirError('NOT_RUNNING', `cannot signal process ${pid}: ${codeOf(error)}`, error)
  }
  return pid
}

/**
 * Asks the running master for the state of all its processes.
 * @throws WeirError NOT_RUNNING
 */
export async function serverStatus(place: ServerPlace): Promise<ServerStatus> {
  const pid = runningMaster(place)
  // The configuration may name another directory by now than the one that the master was started with.
  const bound = boundControlSocket(pid)
  if (bound !== null) return askMaster(bound)
  if (place.runtimeDir !== null) return askMaster(controlSocketOf(place.runtimeDir, pid))
  throw new WeirError('NOT_RUNNING', `process ${pid} has no control socket that this user can see`)
}

function runningMaster(place: ServerPlace): number {
  const pid = masterOf(place.pid)
  if (pid === null) throw new WeirError('NOT_RUNNING', `no server holds pid ${place.pid}`)
  return pid
}
