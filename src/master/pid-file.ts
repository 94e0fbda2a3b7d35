import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { WeirError } from '../base/errors.ts'
import { nodeCrypto } from '../base/node-builtins.ts'
import { isAlive } from '../base/process-alive.ts'
import { linkPidFile } from './linked-pid-file.ts'
import { holderOfLock, NameLock } from './name-lock.ts'
import { readPid } from './read-pid.ts'

/** Whether the lock is a name of the kernel's, and the file only tells who holds it. */
const hasNameLocks = process.platform === 'linux'

/**
 * The pid file of this process, and the lock against a second server. On Linux the lock is apart from the file:
 * the kernel takes it back at any death, so that a file that was left behind is no obstacle, whatever process has
 * its pid by now, and of many servers that start at once one has it.
 */
export class PidFile {
  readonly path: string
  readonly #lock: NameLock | null

  /** @throws WeirError PID_FILE when a living master holds it, or it cannot be written */
  static async acquire(path: string): Promise<PidFile> {
    const absolute = resolve(path)
    try {
      mkdirSync(dirname(absolute), { recursive: true })
      if (hasNameLocks) return new PidFile(absolute, await lockAndWrite(absolute))
      linkPidFile(absolute)
      return new PidFile(absolute, null)
    } catch (error) {
      if (error instanceof WeirError) throw error
      throw new WeirError('PID_FILE', `pid ${absolute}: ${(error as Error).message}`, error)
    }
  }

  private constructor(path: string, lock: NameLock | null) {
    this.path = path
    this.#lock = lock
  }

  /** Removes the file if it is still this process's, and gives the lock back. */
  async remove(): Promise<void> {
    if (readPid(this.path) === process.pid) rmSync(this.path, { force: true })
    await this.#lock?.release()
  }
}

/** The pid of the living master that holds a pid file; null when there is none. */
export function masterOf(path: string): number | null {
  const absolute = resolve(path)
  const pid = readPid(absolute)
  if (pid === null) return null
  if (!hasNameLocks) return isAlive(pid) ? pid : null
  const holder = holderOfLock(lockNameOf(absolute))
  if (holder === null) return null
  // Another user's master cannot be looked at: then its file is believed.
  return holder.pid === null || holder.pid === pid ? pid : null
}

async function lockAndWrite(path: string): Promise<NameLock> {
  const name = lockNameOf(path)
  const lock = await NameLock.acquire(name)
  if (lock === null) {
    const pid = holderOfLock(name)?.pid ?? null
    const who = pid === null ? '' : `, process ${pid}`
    throw new WeirError('PID_FILE', `pid ${path} is held by a running server${who}`)
  }
  const own = `${path}.${process.pid}`
  try {
    writeFileSync(own, `${process.pid}\n`)
    // Who reads the file finds a whole pid in it.
    renameSync(own, path)
    return lock
  } catch (error) {
    rmSync(own, { force: true })
    await lock.release()
    throw error
  }
}

/** The kernel takes 107 bytes and the one in front that makes a name abstract. */
const maxLockNameBytes = 100

/** One name for a file however its path is written; containers that share a network share no files by their paths. */
function lockNameOf(path: string): string {
  const { dev, ino } = statSync(dirname(path), { bigint: true })
  const name = `weir:${dev}:${ino}/${basename(path)}`
  if (Buffer.byteLength(name) <= maxLockNameBytes) return name
  return `weir:${nodeCrypto().createHash('sha256').update(name).digest('hex').slice(0, 32)}`
}
