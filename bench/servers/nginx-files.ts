import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Launch, ServerSetup } from './server.ts'

/**
 * nginx as a server of files: one worker process; what Debian's nginx.conf sets for files (`sendfile`, `tcp_nopush`),
 * and connections that stay however much is asked over them.
 * @param root the directory that it serves
 */
export function nginxFiles(root: string): ServerSetup {
  return {
    name: 'nginx',
    setting: 'sendfile, tcp_nopush',
    prepare(dir: string, port: number, httpPort: number): Launch {
      const conf = join(dir, 'nginx.conf')
      const user = process.getuid?.() === 0 ? 'user root;' : ''
      writeFileSync(
        conf,
        `${user}
daemon off;
worker_processes 1;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log error;
events { worker_connections 32768; }
http {
  include /etc/nginx/mime.types;
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_timeout 65;
  keepalive_requests 100000000;
  server { listen 127.0.0.1:${httpPort}; listen 127.0.0.1:${port}; root ${root}; }
}
`,
      )
      return { command: ['nginx', '-e', join(dir, 'error.log'), '-p', dir, '-c', conf] }
    },
  }
}
