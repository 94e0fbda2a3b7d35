import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { WeirError } from '../base/errors.ts'
import { runMaster } from './main.ts'

/** The clip that is shown, from this file's compiled place. */
const clip = fileURLToPath(new URL('../../demo/weir.flv', import.meta.url))

/** Where the demo serves what. */
export interface DemoPorts {
  readonly rtmp: number
  readonly api: number
  readonly http: number
}

/**
 * Runs a server in this process that shows a clip in a loop, and needs no configuration. Its files are in a directory of
 * its own that is gone when it ends.
 * @throws WeirError when it cannot start; nothing is left behind then
 */
export async function runDemo(ports: DemoPorts): Promise<void> {
  if (!existsSync(clip)) throw new WeirError('CONFIG_UNREADABLE', `the demo's clip ${clip} is missing`)
  const dir = mkdtempSync(join(tmpdir(), `weir-demo-${process.pid}-`))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  const file = join(dir, 'weir.conf')
  writeFileSync(file, demoConfig(dir, ports))
  await runMaster(file)
}

/**
 * @param dir where its files are
 * @returns the text of its configuration
 */
export function demoConfig(dir: string, { rtmp, api, http }: DemoPorts): string {
  return `# What "weir demo" runs. It is gone when that ends: conf/ has configurations to keep.
listen ${rtmp};
daemon off;
srs_log_tank console;
srs_log_level_v2 warn;
work_dir ${quoted(dir)};
pid ./weir.pid;
runtime_dir ./run;
ff_log_dir ./log;
http_server { enabled on; listen ${http}; dir ./html; }
http_api { enabled on; listen 127.0.0.1:${api}; }
vhost __defaultVhost__ {
    http_remux { enabled on; mount [vhost]/[app]/[stream].flv; }
    ingest livestream {
        enabled on;
        ffmpeg internal;
        input { type file; url ${quoted(clip)}; }
    }
}
`
}

/** A path as a word of a configuration file, whatever is in it. */
function quoted(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
