import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Which process has which socket, from proc(5). Sockets are named by their inode, as /proc/net shows it. */

/** A Unix socket that accepts connections. */
export interface ListeningSocket {
  readonly inode: string
  /** As it was bound; an abstract name begins with @ here. */
  readonly path: string
}

/** SO_ACCEPTCON among the flags of /proc/net/unix. */
const listening = '00010000'

/** All listening Unix sockets that have a name. Only on Linux. */
export function listeningUnixSockets(): ListeningSocket[] {
  const lines = readFileSync('/proc/net/unix', 'utf8').split('\n')
  return lines.flatMap((line) => {
    // Num RefCount Protocol Flags Type St Inode Path; the path may hold blanks.
    const [, flags, inode, path] = /^\S+ +\S+ +\S+ +(\S+) +\S+ +\S+ +(\d+) (.+)$/.exec(line) ?? []
    return flags === listening && inode !== undefined && path !== undefined ? [{ inode, path }] : []
  })
}

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
