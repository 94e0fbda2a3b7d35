import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** The cores that the server and the load run on, in taskset's notation; null: wherever the kernel puts them. */
export interface Placement {
  readonly server: string | null
  readonly load: string | null
}

/** Cores this machine gives us. Asked before anything is pinned: pinning changes the answer. */
export const cores = availableParallelism()

const canPin = cores > 1 && spawnSync('taskset', ['-V']).status === 0

/** The server on core 0, the load on core 1: neither disturbs the other. Both anywhere when that cannot be had. */
export const apart: Placement = canPin ? { server: '0', load: '1' } : { server: null, load: null }

/** Server and load share all cores. */
export const together: Placement = canPin
  ? { server: `0-${cores - 1}`, load: `0-${cores - 1}` }
  : { server: null, load: null }

/** The command, run on these cores. */
export function pinned(list: string | null, command: readonly string[]): string[] {
  return list === null ? [...command] : ['taskset', '-c', list, ...command]
}

/** Keeps this process, and what it starts from now on, away from the server's core. */
export function stayWithTheLoad(): void {
  if (apart.load !== null) spawnSync('taskset', ['-a', '-c', '-p', apart.load, String(process.pid)])
}

/** How servers and load are placed, for the report. */
export const placementText = canPin
  ? 'server on core 0, load on core 1 (taskset)'
  : 'server and load not pinned (one core, or no taskset)'
