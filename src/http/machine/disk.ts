import { numberOf, readProc } from './proc-file.ts'

/** What the disks have done since the machine started. */
export interface DiskCounts {
  /** kB that were paged in and out. */
  readonly inKbytes: number
  readonly outKbytes: number
  /** Milliseconds in which the chosen disks did something, added up. */
  readonly busyMs: number
}

/** What the disks do. */
export interface DiskRates {
  readonly readKBps: number
  readonly writeKBps: number
  /** Share of the time in which the chosen disks did something, 0 to 1 for each. */
  readonly busy: number
}

/** Field of /proc/diskstats, counted behind the name of the disk. */
const busyField = 9

/** @param disks names of devices, `sda` */
export function diskCounts(disks: readonly string[]): DiskCounts {
  const traffic = readProc('vmstat') ?? ''
  return {
    inKbytes: numberOf(traffic, 'pgpgin'),
    outKbytes: numberOf(traffic, 'pgpgout'),
    busyMs: disks.length === 0 ? 0 : parseBusyMs(readProc('diskstats') ?? '', disks),
  }
}

/** @param text of /proc/diskstats (Linux: admin-guide/iostats) */
export function parseBusyMs(text: string, disks: readonly string[]): number {
  let sum = 0
  for (const line of text.split('\n')) {
    const [, , name = '', ...fields] = line.trim().split(/\s+/)
    if (disks.includes(name)) sum += Number(fields[busyField] ?? 0)
  }
  return sum
}

export function diskRates(before: DiskCounts, after: DiskCounts, elapsedMs: number): DiskRates {
  const perSecond = (amount: number): number => Math.max(0, Math.round((amount * 1000) / elapsedMs))
  return {
    readKBps: perSecond(after.inKbytes - before.inKbytes),
    writeKBps: perSecond(after.outKbytes - before.outKbytes),
    busy: Number(Math.max(0, (after.busyMs - before.busyMs) / elapsedMs).toFixed(6)),
  }
}
