import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { versionOf } from '../system/machine.ts'
import type { Launch, ServerSetup } from './server.ts'

const binary = 'nginx'

/** Where Debian and Ubuntu put the module of the package libnginx-mod-rtmp. */
const modulePath = '/usr/lib/nginx/modules/ngx_rtmp_module.so'

/** The version of nginx with its RTMP module; null when one of them is not here. */
export function nginxVersion(): string | null {
  return existsSync(modulePath) ? versionOf(binary, '-v') : null
}

/**
 * nginx-rtmp with one worker process and its own defaults (chunks of 4096 bytes, a queue of 256 messages). By default
 * it writes each message at once.
 * @param cork messages that it gathers at most before it writes them to a player. That is the nearest it has to a
 *   merged write, and not near: it gathers inter frames only, an audio message or key frame lets all of them go.
 */
export function nginxRtmp(cork: number | null = null): ServerSetup {
  return {
    name: 'nginx-rtmp',
    setting: cork === null ? 'defaults' : `out_cork ${cork}`,
    prepare(dir: string, port: number): Launch {
      const conf = join(dir, 'nginx.conf')
      // `buffer` is what turns out_cork on; its length matters to nothing else.
      const gather = cork === null ? '' : `out_cork ${cork}; buffer 350ms;`
      const user = process.getuid?.() === 0 ? 'user root;' : ''
      writeFileSync(
        conf,
        `load_module ${modulePath};
${user}
daemon off;
worker_processes 1;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log error;
events { worker_connections 32768; }
rtmp {
  access_log off;
  ${gather}
  server {
    listen 127.0.0.1:${port};
    application live { live on; }
  }
}
`,
      )
      return { command: [binary, '-e', join(dir, 'error.log'), '-p', dir, '-c', conf] }
    },
  }
}
