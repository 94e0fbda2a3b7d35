import { readFileSync } from 'node:fs'
import { isAlive } from './process-alive.ts'

/**
 * What tells a process from all others of this machine, also from one that gets its pid later: in a container the pids
 * are the same after each restart. The pid, and where the system has /proc, when it was started.
 */
export function processTag(pid: number): string {
  const started = startedAt(pid)
  return started === null ? String(pid) : `${pid}-${started}`
}

/** What {@link processTag} gives looks like, for regular expressions. */
export const processTagPattern = '\\d+(?:-\\d+)?'

/** Whether the process of a tag lives. */
export function isTagAlive(tag: string): boolean {
  const [pid, started] = tag.split('-')
  if (!isAlive(Number(pid))) return false
  const now = startedAt(Number(pid))
  return started === undefined || now === null || started === now
}

/** The time since the machine's start at which the process was started, in clock ticks (proc(5), stat, field 22). */
function startedAt(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // Behind the name, which may hold spaces and parentheses, the fields count from the third.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null
  } catch {
    // Gone, hidden from us, or no such file system: then the pid alone has to do.
    return null
  }
}
