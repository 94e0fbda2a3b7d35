import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ServerStatus } from '../../src/master/control-contract.ts'
import type { Launch, RunningServer, ServerSetup } from './server.ts'

/** The project's root: its own build is what is measured. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

export const weirBinary = join(root, 'bin/weir')

/** Settings that the cases vary; what is absent keeps Weir's default. */
export interface WeirSettings {
  /** ms, or `auto` */
  readonly mwLatency?: number | 'auto'
  readonly workers?: number
  readonly maxProcesses?: number
  /** Serves streams over HTTP, and with `hls` also writes segments of so many seconds and serves them. */
  readonly http?: { readonly hls?: number }
  /** Who is asked when a client connects and told when it has gone: a URL. */
  readonly hooks?: string
  /** Records all streams, in this format. */
  readonly dvr?: 'flv' | 'mp4'
  /** Makes it an edge of this server, `host:port`. */
  readonly origin?: string
  /** Environment variables of all its processes, beside this process's own. */
  readonly env?: Readonly<Record<string, string>>
}

/** This project's server, in its full shape: master, stream workers, back-sources. */
export function weir(settings: WeirSettings = {}): ServerSetup {
  const { mwLatency, workers, maxProcesses, http, hooks, dvr, origin, env = {} } = settings
  const said = [
    mwLatency === undefined ? null : `mw_latency ${mwLatency}`,
    workers === undefined ? null : `worker_processes ${workers}`,
    maxProcesses === undefined ? null : `max_processes ${maxProcesses}`,
    hooks === undefined ? null : 'http_hooks',
    origin === undefined ? null : 'edge',
    dvr === undefined ? null : `dvr as ${dvr.toUpperCase()}`,
  ].filter((text) => text !== null)
  return {
    name: 'Weir',
    setting: said.join(', ') || 'defaults',
    prepare(dir: string, port: number, httpPort: number): Launch {
      const lines = [
        `listen 127.0.0.1:${port};`,
        'daemon off;',
        'max_connections 100000;',
        `pid ${dir}/pid;`,
        `runtime_dir ${dir}/run;`,
        'srs_log_tank file;',
        `srs_log_file ${dir}/log;`,
        ...(workers === undefined ? [] : [`worker_processes ${workers};`]),
        ...(maxProcesses === undefined ? [] : [`max_processes ${maxProcesses};`]),
        ...(http === undefined
          ? []
          : [`http_server { enabled on; listen 127.0.0.1:${httpPort}; dir ${htmlOf(dir)}; }`]),
        'vhost __defaultVhost__ {',
        ...(http === undefined ? [] : ['  http_remux { enabled on; }']),
        ...(http?.hls === undefined
          ? []
          : [`  hls { enabled on; hls_fragment ${http.hls}; hls_path ${htmlOf(dir)}; }`]),
        ...(hooks === undefined
          ? []
          : [`  http_hooks { enabled on; on_connect ${hooks}; on_close ${hooks}; }`]),
        ...(dvr === undefined
          ? []
          : [`  dvr { enabled on; dvr_path ${dir}/recordings/[app]/[stream].${dvr}; }`]),
        ...(origin === undefined ? [] : [`  cluster { mode remote; origin ${origin}; }`]),
        ...(mwLatency === undefined ? [] : [`  play { mw_latency ${mwLatency}; }`]),
        '}',
      ]
      writeFileSync(confOf(dir), `${lines.join('\n')}\n`)
      return { command: [weirBinary, '-c', confOf(dir)], env }
    },
  }
}

/** What a running Weir says of its processes and streams (`weir ctl status`). */
export function weirStatus(server: RunningServer): ServerStatus {
  const { status, stdout, stderr } = spawnSync(
    weirBinary,
    ['-c', confOf(server.dir), 'ctl', 'status', '--json'],
    { encoding: 'utf8' },
  )
  if (status !== 0) throw new Error(`weir ctl status: ${stderr}`)
  return JSON.parse(stdout) as ServerStatus
}

/** What a Weir that serves HTTP has its files in, by the server's directory. */
export function htmlOf(dir: string): string {
  return join(dir, 'html')
}

function confOf(dir: string): string {
  return join(dir, 'weir.conf')
}
