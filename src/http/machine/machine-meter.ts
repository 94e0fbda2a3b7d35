import { availableParallelism, loadavg, uptime } from 'node:os'
import { monotonicMs } from '../../base/clock.ts'
import { busyShare, type CpuTimes, cpuTimes } from './cpu.ts'
import { type DiskCounts, type DiskRates, diskCounts, diskRates } from './disk.ts'
import { type MemoryFacts, memoryFacts } from './memory.ts'
import { type NetworkCounts, networkCounts, type SocketCounts, socketCounts } from './network.ts'
import { numbersIn, readProc } from './proc-file.ts'

/** How far apart the samples are, in milliseconds. */
const sampleMs = 5000

/** How old what was read may be, in milliseconds: a dozen small files take a millisecond of all clients. */
const maxAgeMs = 1000

/** What the machine does; shares are 0 to 1, and over the last 5 to 10 seconds. */
export interface MachineFacts {
  /** When it was read, in milliseconds since 1970. */
  readonly takenMs: number
  readonly cpus: number
  readonly cpuTimes: CpuTimes
  readonly cpuShare: number
  readonly disk: DiskRates
  readonly memory: MemoryFacts
  readonly network: NetworkCounts
  readonly sockets: SocketCounts
  /** Seconds since the machine started, and those of all its processors in which they were idle. */
  readonly uptime: number
  readonly idle: number
  /** Over 1, 5 and 15 minutes. */
  readonly load: readonly [number, number, number]
}

interface Sample {
  readonly atMs: number
  readonly cpu: CpuTimes
  readonly disk: DiskCounts
}

/** Measures the machine. */
export class MachineMeter {
  /** Names of the disks whose business is measured. */
  disks: readonly string[]
  #newer: Sample
  #older: Sample
  #read: { readonly facts: MachineFacts; readonly atMs: number } | null = null

  constructor(disks: readonly string[]) {
    this.disks = disks
    this.#newer = this.#sample()
    this.#older = this.#newer
  }

  /** To be called about once a second. */
  sweep(nowMs: number): void {
    if (nowMs - this.#newer.atMs < sampleMs) return
    this.#older = this.#newer
    this.#newer = this.#sample()
  }

  /** What the machine does, or did at most a second ago. */
  read(): MachineFacts {
    const atMs = monotonicMs()
    if (this.#read === null || atMs - this.#read.atMs >= maxAgeMs) {
      this.#read = { facts: this.#take(), atMs }
    }
    return this.#read.facts
  }

  #take(): MachineFacts {
    const now = this.#sample()
    const { atMs, cpu, disk } = this.#older
    const [ofMachine = uptime(), idle = 0] = numbersIn(readProc('uptime') ?? '')
    const [one = 0, five = 0, fifteen = 0] = loadavg()
    return {
      takenMs: Date.now(),
      // os.cpus() reads the clock of each: a millisecond.
      cpus: availableParallelism(),
      cpuTimes: now.cpu,
      cpuShare: Number(busyShare(cpu, now.cpu).toFixed(6)),
      disk: diskRates(disk, now.disk, Math.max(1, now.atMs - atMs)),
      memory: memoryFacts(),
      network: networkCounts(),
      sockets: socketCounts(),
      uptime: ofMachine,
      idle,
      load: [one, five, fifteen],
    }
  }

  #sample(): Sample {
    return { atMs: monotonicMs(), cpu: cpuTimes(), disk: diskCounts(this.disks) }
  }
}
