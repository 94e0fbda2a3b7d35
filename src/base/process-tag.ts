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

let ownTag: string | null = null

/** The tag of this process. */
export function ownProcessTag(): string {
  ownTag ??= processTag(process.pid)
  return ownTag
}

/** What {@link processTag} gives looks like, for regular expressions. */
export const processTagPattern = '\\d+(?:-\\d+)?'

/** Whether the process of a tag lives. One that has ended and that nobody has asked about (a zombie) does not. */
export function isTagAlive(tag: string): boolean {
  const [pid, started] = tag.split('-')
  if (!isAlive(Number(pid))) return false
  const fields = statOf(Number(pid))
  if (fields === null) return true
  const [state] = fields
  return state !== 'Z' && state !== 'X' && (started === undefined || started === startOf(fields))
}

function startedAt(pid: number): string | null {
  const fields = statOf(pid)
  return fields && startOf(fields)
}

/** The time since the machine's start at which the process was started, in clock ticks: field 22. */
function startOf(fields: readonly string[]): string | null {
  return fields[19] ?? null
}

/** What the system says of a process, from its state on: the third field of proc(5), stat. */
function statOf(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name before it may hold spaces and parentheses.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch {
    // Gone, hidden from us, or no such file system: then the pid alone has to do.
    return null
  }
}
