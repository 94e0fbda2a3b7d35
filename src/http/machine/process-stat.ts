import { readProc } from './proc-file.ts'

/** Names of the fields of /proc/PID/stat behind the state, as SRS calls them (proc_pid_stat(5)). */
const fieldNames = [
  ...['ppid', 'pgrp', 'session', 'tty_nr', 'tpgid', 'flags', 'minflt', 'cminflt', 'majflt', 'cmajflt'],
  ...['utime', 'stime', 'cutime', 'cstime', 'priority', 'nice', 'num_threads', 'itrealvalue', 'starttime'],
  ...['vsize', 'rss', 'rsslim', 'startcode', 'endcode', 'startstack', 'kstkesp', 'kstkeip', 'signal'],
  ...['blocked', 'sigignore', 'sigcatch', 'wchan', 'nswap', 'cnswap', 'exit_signal', 'processor'],
  ...['rt_priority', 'policy', 'delayacct_blkio_ticks', 'guest_time', 'cguest_time'],
] as const

type FieldName = (typeof fieldNames)[number]

/** Those of all processes are added up; of the rest, the first process's counts. */
const added: ReadonlySet<FieldName> = new Set([
  ...(['minflt', 'cminflt', 'majflt', 'cmajflt', 'utime', 'stime', 'num_threads', 'vsize', 'rss'] as const),
  ...(['delayacct_blkio_ticks', 'guest_time'] as const),
])

/** What the system tells of a process: times in hundredths of a second, `rss` in pages, `vsize` in bytes. */
export interface ProcessStat extends Readonly<Record<FieldName, number>> {
  readonly pid: number
  readonly comm: string
  readonly state: string
}

/**
 * What the system tells of a server's processes as if they were one.
 * @param pids the first is the one whose name, parent and state it has
 * @returns null where there is no /proc
 */
export function statOfProcesses(pids: readonly number[]): ProcessStat | null {
  const stats = pids.map((pid) => readProc(`${pid}/stat`)).filter((text) => text !== null)
  const [first, ...others] = stats.map(parseProcessStat)
  if (first === undefined) return null
  const sums = [...added].map((name) => [name, others.reduce((sum, stat) => sum + stat[name], first[name])])
  return { ...first, ...Object.fromEntries(sums) }
}

/** What there is to tell where there is no /proc. */
export function nothingKnownOf(pid: number): ProcessStat {
  const zeros = Object.fromEntries(fieldNames.map((name) => [name, 0]))
  return { ...(zeros as Record<FieldName, number>), pid, comm: '', state: '' }
}

/** @param text of /proc/PID/stat; the name in it is in parentheses and may hold anything */
export function parseProcessStat(text: string): ProcessStat {
  const [open, close] = [text.indexOf('('), text.lastIndexOf(')')]
  const [state = '', ...fields] = text
    .slice(close + 2)
    .trim()
    .split(' ')
  const values = fieldNames.map((name, index) => [name, inRange(Number(fields[index] ?? 0))])
  return {
    ...(Object.fromEntries(values) as Record<FieldName, number>),
    pid: Number.parseInt(text, 10),
    comm: text.slice(open, close + 1),
    state,
  }
}

/** Unlimited is a number that no program reads back as it was: SRS has -1 there. */
function inRange(value: number): number {
  return Number.isSafeInteger(value) ? value : -1
}
