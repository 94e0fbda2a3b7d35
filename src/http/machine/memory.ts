import { freemem, totalmem } from 'node:os'
import { numberOf, readProc } from './proc-file.ts'

/** The machine's memory in kB, under the names and with the sums that SRS has. */
export interface MemoryFacts {
  readonly MemTotal: number
  readonly MemFree: number
  readonly Buffers: number
  readonly Cached: number
  readonly SwapTotal: number
  readonly SwapFree: number
  /** All that is not free. */
  readonly MemActive: number
  /** The same without buffers and cache. */
  readonly RealInUse: number
  readonly NotInUse: number
  /** 0 to 1. */
  readonly percent_ram: number
  readonly percent_swap: number
}

export function memoryFacts(): MemoryFacts {
  const text = readProc('meminfo')
  return text === null ? memoryOfSystem() : parseMemory(text)
}

/** @param text of /proc/meminfo (proc_meminfo(5)) */
export function parseMemory(text: string): MemoryFacts {
  const kilobytes = (name: string): number => numberOf(text, name)
  return withSums({
    MemTotal: kilobytes('MemTotal'),
    MemFree: kilobytes('MemFree'),
    Buffers: kilobytes('Buffers'),
    Cached: kilobytes('Cached'),
    SwapTotal: kilobytes('SwapTotal'),
    SwapFree: kilobytes('SwapFree'),
  })
}

type Read = Pick<MemoryFacts, 'MemTotal' | 'MemFree' | 'Buffers' | 'Cached' | 'SwapTotal' | 'SwapFree'>

function withSums(read: Read): MemoryFacts {
  const { MemTotal, MemFree, Buffers, Cached, SwapTotal, SwapFree } = read
  const MemActive = MemTotal - MemFree
  const RealInUse = MemActive - Buffers - Cached
  return {
    ...read,
    MemActive,
    RealInUse,
    NotInUse: MemTotal - RealInUse,
    percent_ram: share(RealInUse, MemTotal),
    percent_swap: share(SwapTotal - SwapFree, SwapTotal),
  }
}

function share(part: number, whole: number): number {
  return whole === 0 ? 0 : Number((part / whole).toFixed(6))
}

function memoryOfSystem(): MemoryFacts {
  const [MemTotal, MemFree] = [Math.round(totalmem() / 1024), Math.round(freemem() / 1024)]
  return withSums({ MemTotal, MemFree, Buffers: 0, Cached: 0, SwapTotal: 0, SwapFree: 0 })
}
