import { mkdtempSync, readdirSync, readlinkSync, rmSync, statfsSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { codeOf, messageOf, WeirError } from '../base/errors.ts'
import type { Logger } from '../base/logger.ts'
import { isAlive } from '../base/process-alive.ts'
import type { Config } from '../config/config.ts'
import { wantsRam, withRam } from '../config/ram-storage.ts'

/** Types of file systems that are memory (statfs(2)): tmpfs and ramfs. */
const memoryTypes: ReadonlySet<number> = new Set([0x01021994, 0x858458f6])

/**
 * The directory below `ram_dir` for what a server has in memory alone: a memory file system, so that all processes share
 * it, none of them holds it twice, and it outlives each of them but the master. It is made when something is to be in it.
 */
export class RamDir {
  readonly #base: string
  readonly #logger: Logger
  #path: string | null = null

  /** Removes what masters left that were killed. */
  constructor(ramDir: string, logger: Logger) {
    this.#base = resolve(ramDir)
    this.#logger = logger
    for (const name of namesIn(this.#base)) if (isLeft(name)) this.#removeOld(join(this.#base, name))
  }

  /**
   * The configuration as workers get it.
   * @throws WeirError RAM_DIR
   */
  place(config: Config): Config {
    return wantsRam(config) ? withRam(config, this.#make()) : config
  }

  remove(): void {
    if (this.#path !== null) rmSync(this.#path, { recursive: true, force: true })
    this.#path = null
  }

  #make(): string {
    if (this.#path !== null) return this.#path
    try {
      // For this user only, with a name that nobody can have taken before.
      this.#path = mkdtempSync(join(this.#base, `weir-${namespace}-${process.pid}-`))
      if (!memoryTypes.has(statfsSync(this.#path).type)) {
        const about = { code: 'RAM_DIR', ramDir: this.#base }
        this.#logger.warn(about, 'what is to be in memory is on a disk: ram_dir is no memory file system')
      }
      return this.#path
    } catch (error) {
      throw new WeirError('RAM_DIR', `ram_dir ${this.#base}: ${messageOf(error)}`, error)
    }
  }

  #removeOld(path: string): void {
    try {
      if (statSync(path).uid !== process.getuid?.()) return
      rmSync(path, { recursive: true, force: true })
      this.#logger.info({ dir: path }, 'removed what a server that was killed had in memory')
    } catch (error) {
      // Another server that starts has removed it.
      if (codeOf(error) !== 'ENOENT') this.#logger.warn({ code: 'RAM_DIR' }, `${path}: ${messageOf(error)}`)
    }
  }
}

/** In containers that share their memory the same number may be another server's process. */
const namespace = namespaceOfPids()

function namespaceOfPids(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
  } catch {
    // Not Linux: there is one.
    return '0'
  }
}

/** Whether a directory is of a master that is dead; this process's own number was one of theirs, too. */
function isLeft(name: string): boolean {
  const [, pids, pid] = /^weir-(\d+)-(\d+)-\w{6}$/.exec(name) ?? []
  return pids === namespace && (Number(pid) === process.pid || !isAlive(Number(pid)))
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(codeOf(error))) return []
    throw error
  }
}
