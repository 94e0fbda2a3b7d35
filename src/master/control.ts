import { codeOf, WeirError } from '../base/errors.ts'
import type { Config } from '../config/config.ts'
import type { ServerStatus } from './control-contract.ts'
import { askMaster } from './control-server.ts'
import { masterOf } from './pid-file.ts'
import { controlSocketOf } from './runtime-dir.ts'

/** What `weir ctl` can ask for by a signal. */
export const controlSignals = {
  reload: 'SIGHUP',
  stop: 'SIGTERM',
  quit: 'SIGQUIT',
  reopen: 'SIGUSR1',
} as const satisfies Record<string, NodeJS.Signals>

/**
 * The pid of the running master of a configuration.
 * @throws WeirError NOT_RUNNING
 */
export function runningMaster(config: Config): number {
  const pid = masterOf(config.pid)
  if (pid === null) throw new WeirError('NOT_RUNNING', `no server holds pid ${config.pid}`)
  return pid
}

/** Sends the signal of an action to the running master. */
export function signalMaster(config: Config, action: keyof typeof controlSignals): number {
  const pid = runningMaster(config)
  try {
    process.kill(pid, controlSignals[action])
  } catch (error) {
    throw new WeirError('NOT_RUNNING', `cannot signal process ${pid}: ${codeOf(error)}`, error)
  }
  return pid
}

/** Asks the running master for the state of all its processes. */
export function serverStatus(config: Config): Promise<ServerStatus> {
  return askMaster(controlSocketOf(config.runtimeDir, runningMaster(config)))
}
