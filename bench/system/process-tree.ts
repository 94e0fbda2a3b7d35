/** What a process and all its descendants cost, from Linux's /proc. */
import { readdirSync, readFileSync } from 'node:fs'

/** Kernel ticks per second in /proc (USER_HZ): 100 on every architecture that Node runs on. */
const ticksPerSecond = 100

/** One process at one moment. CPU and switches count since its start. */
export interface ProcessSample {
  readonly pid: number
  /** What it does, from its title: see {@link roleOf}. */
  readonly role: string
  readonly cpuSeconds: number
  /** Of its main thread: how often it went to sleep. */
  readonly voluntarySwitches: number
}

/** Resident and proportional memory of one process, in bytes. */
export interface MemorySample {
  readonly pid: number
  readonly role: string
  readonly rssBytes: number
  readonly pssBytes: number
}

/** Fields of /proc/PID/stat that are used here. */
export interface ProcessStat {
  readonly parentPid: number
  /** User and system time, with that of children that have ended and been waited for. */
  readonly cpuSeconds: number
}

/** @param text of /proc/PID/stat (proc_pid_stat(5)) */
export function parseStat(text: string): ProcessStat {
  // The second field is the name in parentheses and may hold anything, parentheses and spaces too.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const ticks = [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0)
  return { parentPid: Number(fields[1]), cpuSeconds: ticks / ticksPerSecond }
}

/**
 * The value of a line such as `Pss:  1234 kB` of smaps_rollup, or of `voluntary_ctxt_switches: 7` of status.
 * @throws Error when there is no such line
 */
export function fieldOf(text: string, name: string): number {
  const match = new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)
  if (match === null) throw new Error(`/proc has no ${name}`)
  return Number(match[1])
}

/**
 * What a process does in its server: Weir's and nginx's processes say it in their titles.
 * @param commandLine of /proc/PID/cmdline, its arguments separated by spaces
 */
export function roleOf(commandLine: string): string {
  const weir = /^weir: (master|stream|back-source|http)/.exec(commandLine)
  if (weir !== null) return weir[1] === 'stream' ? 'stream worker' : weir[1]!
  const nginx = /^nginx: (master|worker)/.exec(commandLine)
  if (nginx !== null) return nginx[1]!
  return 'server'
}

/** The process and its descendants that live now, itself first. */
export function treeOf(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = readProc(Number(name), 'stat')
    if (stat === null) continue
    const { parentPid } = parseStat(stat)
    children.set(parentPid, [...(children.get(parentPid) ?? []), Number(name)])
  }
  const tree: number[] = []
  const visit = (pid: number): void => {
    tree.push(pid)
    for (const child of children.get(pid) ?? []) visit(child)
  }
  visit(root)
  return tree
}

/** CPU of the whole tree. A process that ends meanwhile is left out; its parent's sample has its time. */
export function sampleCpu(root: number): ProcessSample[] {
  return treeOf(root).flatMap((pid) => {
    const stat = readProc(pid, 'stat')
    const status = readProc(pid, 'status')
    const role = readRole(pid)
    if (stat === null || status === null || role === null) return []
    const { cpuSeconds } = parseStat(stat)
    return [{ pid, role, cpuSeconds, voluntarySwitches: fieldOf(status, 'voluntary_ctxt_switches') }]
  })
}

/** Memory of the whole tree. Reading it costs the kernel a walk over all pages: do it outside of measurements. */
export function sampleMemory(root: number): MemorySample[] {
  return treeOf(root).flatMap((pid) => {
    const rollup = readProc(pid, 'smaps_rollup')
    const role = readRole(pid)
    // A process without memory of its own (it is ending) has an empty rollup.
    if (rollup === null || rollup === '' || role === null) return []
    return [{ pid, role, rssBytes: fieldOf(rollup, 'Rss') * 1024, pssBytes: fieldOf(rollup, 'Pss') * 1024 }]
  })
}

function readRole(pid: number): string | null {
  const commandLine = readProc(pid, 'cmdline')
  return commandLine === null ? null : roleOf(commandLine.replaceAll('\0', ' '))
}

/** @returns null when the process is gone */
function readProc(pid: number, file: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ESRCH') return null
    throw error
  }
}
