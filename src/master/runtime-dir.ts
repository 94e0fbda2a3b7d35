import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { WeirError } from '../base/errors.ts'
import { isAlive } from '../base/process-alive.ts'
import { hasSocket, listeningUnixSockets } from './proc-sockets.ts'

/** The longest path of a Unix socket (Linux, sockaddr_un.sun_path without the final zero). */
const maxSocketPath = 107

/** The name of the control socket of a master. */
const controlName = 'master.sock'

/** The longest name a socket here can have: `b` and a number, `.sock`. */
const longestName = 'b9999999.sock'

/**
 * The directory with the Unix sockets of one server: `runtime_dir/<pid of the master>`, so that an old and a
 * new generation of processes live beside each other during an upgrade.
 */
export class RuntimeDir {
  readonly path: string

  /**
   * Makes the directory (mode 0700) and removes those of masters that are dead. Something else that has the
   * name of a process is left alone.
   * @throws WeirError RUNTIME_DIR when it cannot be made or its path is too long for a Unix socket
   */
  constructor(runtimeDir: string) {
    const base = resolve(runtimeDir)
    this.path = join(base, String(process.pid))
    const longest = Buffer.byteLength(join(this.path, longestName))
    if (longest > maxSocketPath) {
      throw new WeirError(
        'RUNTIME_DIR',
        `runtime_dir ${base} is too long: a socket in it would have a path of ${longest} bytes, ${maxSocketPath} are allowed`,
      )
    }
    try {
      mkdirSync(base, { recursive: true })
      removeDead(base)
      mkdirSync(this.path, { mode: 0o700 })
      chmodSync(this.path, 0o700)
    } catch (error) {
      throw new WeirError('RUNTIME_DIR', `runtime_dir ${base}: ${(error as Error).message}`, error)
    }
  }

  socket(name: string): string {
    return join(this.path, `${name}.sock`)
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

/** Where the master of a given pid has its control socket. */
export function controlSocketOf(runtimeDir: string, pid: number): string {
  return join(resolve(runtimeDir), String(pid), controlName)
}

/**
 * The control socket that the master of a given pid listens on, whatever its runtime_dir is; null when the system
 * does not tell: it is not Linux, or this user may not look at that process.
 */
export function boundControlSocket(pid: number): string | null {
  if (process.platform !== 'linux') return null
  const end = `/${pid}/${controlName}`
  const sockets = listeningUnixSockets().filter(({ path }) => path.endsWith(end))
  return sockets.find(({ inode }) => hasSocket(pid, inode))?.path ?? null
}

/** Removes what masters left behind that are dead; this process's own number was one of theirs, too. */
function removeDead(base: string): void {
  for (const entry of readdirSync(base, { withFileTypes: true })) {
    const pid = /^\d+$/.test(entry.name) ? Number(entry.name) : null
    if (pid === null || !entry.isDirectory() || (pid !== process.pid && isAlive(pid))) continue
    removeIfOurs(join(base, entry.name))
  }
}

/** What cannot be removed is another user's, or another server that starts has removed it: it is in nobody's way. */
function removeIfOurs(path: string): void {
  try {
    const isOurs = readdirSync(path).every((name) => name.endsWith('.sock'))
    if (isOurs) rmSync(path, { recursive: true, force: true })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'ENOENT') throw error
  }
}
