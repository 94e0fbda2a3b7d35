import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** A variable in the environment of a server under test, which all of its processes inherit. */
export const markName = 'WEIR_E2E_SERVER'

/** A living process. */
export interface LivingProcess {
  readonly pid: number
  /** What `ps` shows of it. */
  readonly title: string
}

/**
 * The living processes of one server, from /proc: by the mark in their environment, so that a daemon and workers
 * whose master is dead are found too.
 */
export function processesMarked(mark: string): LivingProcess[] {
  const entry = `${markName}=${mark}`
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => readProc(pid, 'environ').split('\0').includes(entry))
    .map((pid) => ({ pid: Number(pid), title: readProc(pid, 'cmdline').replaceAll('\0', ' ').trim() }))
}

/** Kills all processes of one server. */
export function killMarked(mark: string): void {
  for (const { pid } of processesMarked(mark)) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }
}

/**
 * Memory that processes have allocated, in bytes: without files, programs and libraries among them, of which each has the
 * less the more others have the same open.
 */
export function allocatedBy(pids: readonly number[]): number {
  const kilobytes = (pid: number): number =>
    Number(/^Anonymous:\s+(\d+) kB/m.exec(readProc(String(pid), 'smaps_rollup'))?.[1] ?? 0)
  return pids.reduce((sum, pid) => sum + kilobytes(pid) * 1024, 0)
}

/** Whether a process runs; one that has ended and was not waited for (a zombie) does not. */
export function isRunning(pid: number): boolean {
  // proc(5): the state follows the name, which is in parentheses and may hold anything.
  const state = /\) (\S)/.exec(readProc(String(pid), 'stat'))?.[1]
  return state !== undefined && state !== 'Z' && state !== 'X'
}

/** What a process has open: paths of files, `socket:[INODE]` and the like. */
export function openFiles(pid: number): string[] {
  const dir = `/proc/${pid}/fd`
  return readdirSync(dir).map((fd) => linkOf(`${dir}/${fd}`))
}

/** How many sockets a process has open. */
export function openSockets(pid: number): number {
  return openFiles(pid).filter((file) => file.startsWith('socket:')).length
}

/** Empty when the file was closed meanwhile. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}

/** Empty when the process ended meanwhile. */
function readProc(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return ''
    throw error
  }
}
