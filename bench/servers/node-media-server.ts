import { spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { packageVersion } from '../system/machine.ts'
import type { Launch, ServerSetup } from './server.ts'

const benchDir = fileURLToPath(new URL('..', import.meta.url))
const packageDir = join(benchDir, 'node_modules/node-media-server')

/** Its version, installed when it is missing; null when that fails, as it does without a network. */
export function nodeMediaServerVersion(): string | null {
  const manifest = join(packageDir, 'package.json')
  if (!existsSync(manifest)) {
    spawnSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], { cwd: benchDir, stdio: 'inherit' })
  }
  return existsSync(manifest) ? packageVersion(manifest) : null
}

/**
 * node-media-server: one process, under the same Node as Weir. It writes each message to each player and has no
 * setting to gather them.
 */
export function nodeMediaServer(): ServerSetup {
  return {
    name: 'node-media-server',
    setting: 'defaults',
    prepare(dir: string, port: number): Launch {
      const conf = join(dir, 'config.json')
      writeFileSync(
        conf,
        JSON.stringify({
          bind: '127.0.0.1',
          rtmp: { port },
          auth: { play: false, publish: false, secret: 'unused' },
          store: { path: join(dir, 'data') },
          record: { auto: false, path: join(dir, 'record') },
          webadmin: { enable: false },
        }),
      )
      return { command: [process.execPath, join(packageDir, 'bin/app.js'), '-c', conf] }
    },
  }
}
