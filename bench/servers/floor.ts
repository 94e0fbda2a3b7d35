import { fileURLToPath } from 'node:url'
import type { Launch, ServerSetup } from './server.ts'

const program = fileURLToPath(new URL('./floor-server.ts', import.meta.url))

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
      // Node as the stream worker has it.
      const flags = ['--max-semi-space-size=4', '--disable-warning=ExperimentalWarning']
      return {
        command: [
          process.execPath,
          ...flags,
          program,
          clip,
          String(intervalMs),
          String(port),
          String(httpPort),
        ],
      }
    },
  }
}
