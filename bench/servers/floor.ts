import { fileURLToPath } from 'node:url'
import { apart } from '../system/placement.ts'
import type { Launch, ServerSetup } from './server.ts'

const program = fileURLToPath(new URL('./floor-server.ts', import.meta.url))
const hopsProgram = fileURLToPath(new URL('./hops-server.ts', import.meta.url))

/** Node as the stream worker has it. */
const node = [process.execPath, '--max-semi-space-size=4', '--disable-warning=ExperimentalWarning']

/**
 * Raw writes of the same buffers, see floor-server.ts.
 * @param clip path of what it streams
 * @param intervalMs from one write to the next
 */
export function rawFloor(clip: string, intervalMs: number): ServerSetup {
  return {
    name: 'raw writes',
    setting: `each ${intervalMs} ms`,
    prepare(_dir: string, port: number, httpPort: number): Launch {
      return { command: [...node, program, clip, String(intervalMs), String(port), String(httpPort)] }
    },
  }
}

/**
 * The way of a frame through Weir's processes, and nothing else, see hops-server.ts.
 * @param clip path of what its encoder sends
 */
export function rawHops(clip: string): ServerSetup {
  return {
    name: 'raw writes',
    setting: 'through the same processes',
    prepare(_dir: string, port: number, httpPort: number): Launch {
      return {
        command: [...node, hopsProgram, 'worker', clip, apart.load ?? '', String(port), String(httpPort)],
      }
    },
  }
}
