import { readFileSync } from 'node:fs'
import { isAlive } from '../base/process-alive.ts'

/**
 * Whether the process of this pid is a Weir master: pids are reused, and a stale pid file must not block a
 * start. Where the system does not tell (no /proc), any living process counts.
 */
export function isMaster(pid: number): boolean {
  if (!isAlive(pid)) return false
  try {
    return /weir|dist\/cli\.js/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))
  } catch {
    return true
  }
}
