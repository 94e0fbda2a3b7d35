import { cpus } from 'node:os'
import { numbersIn, readProc } from './proc-file.ts'

/** What the processors have done since the machine started, in hundredths of a second, as /proc/stat has it. */
export interface CpuTimes {
  readonly user: number
  readonly nice: number
  readonly sys: number
  readonly idle: number
  readonly iowait: number
  readonly irq: number
  readonly softirq: number
  readonly steal: number
  readonly guest: number
}

/** Milliseconds in a tick. */
const tickMs = 10

export function cpuTimes(): CpuTimes {
  const text = readProc('stat')
  return text === null ? timesOfSystem() : parseCpuTimes(text)
}

/** @param text of /proc/stat (proc_stat(5)) */
export function parseCpuTimes(text: string): CpuTimes {
  const fields = numbersIn(/^cpu\s+(.*)$/m.exec(text)?.[1] ?? '')
  const [user = 0, nice = 0, sys = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0, guest = 0] =
    fields
  return { user, nice, sys, idle, iowait, irq, softirq, steal, guest }
}

/** The share of the time between two readings in which the processors were not idle, 0 to 1. */
export function busyShare(before: CpuTimes, after: CpuTimes): number {
  const total = totalOf(after) - totalOf(before)
  return total <= 0 ? 0 : Math.min(1, Math.max(0, 1 - (after.idle - before.idle) / total))
}

/** The guests' time is in the user's time already. */
function totalOf({ user, nice, sys, idle, iowait, irq, softirq, steal }: CpuTimes): number {
  return user + nice + sys + idle + iowait + irq + softirq + steal
}

function timesOfSystem(): CpuTimes {
  const sum = { user: 0, nice: 0, sys: 0, idle: 0, irq: 0 }
  for (const { times } of cpus()) {
    for (const kind of ['user', 'nice', 'sys', 'idle', 'irq'] as const) sum[kind] += times[kind] / tickMs
  }
  return { ...sum, iowait: 0, softirq: 0, steal: 0, guest: 0 }
}
