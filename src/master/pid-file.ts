import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { WeirError } from '../base/errors.ts'
import { isMaster } from './process-alive.ts'

/**
 * The pid file, which is also the lock against a second server: it appears with its content in one step (a
 * hard link), and an existing one is taken over only when the process it names is not a living master.
 */
export class PidFile {
  readonly path: string

  /** @throws WeirError PID_FILE when a living master holds it, or it cannot be written */
  constructor(path: string) {
    this.path = resolve(path)
    const own = `${this.path}.${process.pid}`
    try {
      mkdirSync(dirname(this.path), { recursive: true })
      writeFileSync(own, `${process.pid}\n`)
      try {
        while (!this.#tryLink(own)) this.#removeStale()
      } finally {
        rmSync(own, { force: true })
      }
    } catch (error) {
      if (error instanceof WeirError) throw error
      throw new WeirError('PID_FILE', `pid ${this.path}: ${(error as Error).message}`, error)
    }
  }

  /** Removes the file if it is still this process's. */
  remove(): void {
    if (readPid(this.path) === process.pid) rmSync(this.path, { force: true })
  }

  #tryLink(own: string): boolean {
    try {
      linkSync(own, this.path)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw error
    }
  }

  #removeStale(): void {
    this.#refuseIfHeld(this.path)
    // Renamed before it is removed: of two servers that start at once, one gets the stale file. If the other
    // was faster, what was renamed is its fresh file: it goes back.
    const stale = `${this.path}.${process.pid}.stale`
    try {
      renameSync(this.path, stale)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
      throw error
    }
    try {
      this.#refuseIfHeld(stale)
    } catch (error) {
      this.#tryLink(stale)
      throw error
    } finally {
      rmSync(stale, { force: true })
    }
  }

  #refuseIfHeld(path: string): void {
    const pid = readPid(path)
    // In a container each start has the same pid: this process finds its own in the file of the one before.
    if (pid !== null && pid !== process.pid && isMaster(pid)) {
      throw new WeirError('PID_FILE', `pid ${this.path} is held by a running server, process ${pid}`)
    }
  }
}

/** The pid in a pid file; null when there is no such file or no pid in it. */
export function readPid(path: string): number | null {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim())
    return Number.isInteger(pid) && pid > 0 ? pid : null
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
