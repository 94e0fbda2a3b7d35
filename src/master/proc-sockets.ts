import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Which process has which socket, from proc(5). Sockets are named by their inode, as /proc/net shows it. */

/** Whether a process has a socket; null when this one may not look, or the process has ended. */
export function hasSocket(pid: number | string, inode: string): boolean | null {
  const wanted = `socket:[${inode}]`
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === wanted)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM' || code === 'ENOENT' || code === 'ESRCH') return null
    throw error
  }
}

/** The process that has a socket; null when it is none that this one may look at. */
export function ownerOf(inode: string): number | null {
  const owner = readdirSync('/proc').find((name) => /^\d+$/.test(name) && hasSocket(name, inode) === true)
  return owner === undefined ? null : Number(owner)
}

/** A process as messages name it: `nginx (pid 123)`. */
export function processName(pid: number): string {
  return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`
}

/** Empty for what was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
