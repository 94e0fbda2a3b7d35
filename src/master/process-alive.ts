import { readFileSync } from 'node:fs'

/** Whether a process of this pid exists (it may be another user's). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

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
