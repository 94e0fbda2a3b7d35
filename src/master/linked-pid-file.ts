import { linkSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { WeirError } from '../base/errors.ts'
import { isAlive } from '../base/process-alive.ts'
import { readPid } from './read-pid.ts'

/**
 * Makes a pid file that is itself the lock, for systems without abstract Unix sockets: it appears with its content
 * in one step (a hard link), and an existing one is taken over only when its process is dead. A pid that another
 * program has by now counts as alive, and three servers that start at once on one stale file could get past each
 * other: neither can happen on Linux, which does not use this.
 * @throws WeirError PID_FILE when a living process holds it; the system's error when it cannot be written
 */
export function linkPidFile(path: string): void {
  const own = `${path}.${process.pid}`
  writeFileSync(own, `${process.pid}\n`)
  try {
    while (!tryLink(own, path)) removeStale(path)
  } finally {
    rmSync(own, { force: true })
  }
}

function tryLink(own: string, path: string): boolean {
  try {
    linkSync(own, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function removeStale(path: string): void {
  refuseIfHeld(path, path)
  // Renamed before it is removed: of two servers that start at once, one gets the stale file. If the other
  // was faster, what was renamed is its fresh file: it goes back.
  const stale = `${path}.${process.pid}.stale`
  try {
    renameSync(path, stale)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  try {
    refuseIfHeld(stale, path)
  } catch (error) {
    tryLink(stale, path)
    throw error
  } finally {
    rmSync(stale, { force: true })
  }
}

function refuseIfHeld(file: string, path: string): void {
  const pid = readPid(file)
  // In a container each start has the same pid: this process finds its own in the file of the one before.
  if (pid !== null && pid !== process.pid && isAlive(pid)) {
    throw new WeirError('PID_FILE', `pid ${path} is held by a running server, process ${pid}`)
  }
}
