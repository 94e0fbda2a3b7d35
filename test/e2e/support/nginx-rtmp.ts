import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { tempDir } from '../../support/temp-dir.ts'
import { Command } from './command.ts'
import { freePort } from './free-port.ts'
import { until, within } from './until.ts'

/** Where Debian and Ubuntu put the module of the package libnginx-mod-rtmp. */
const modulePath = '/usr/lib/nginx/modules/ngx_rtmp_module.so'

/** An nginx with its RTMP module and an application `live`, which records what it gets; it ends with the test. */
export async function startNginxRtmp(): Promise<{ port: number; recording(stream: string): string }> {
  const dir = tempDir()
  const port = await freePort()
  const conf = join(dir, 'nginx.conf')
  writeFileSync(
    conf,
    `load_module ${modulePath};
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid ${dir}/nginx.pid;
error_log ${dir}/error.log error;
events { worker_connections 256; }
rtmp {
  access_log off;
  server { listen 127.0.0.1:${port}; application live { live on; record all; record_path ${dir}; } }
}
`,
  )
  const nginx = new Command('nginx', ['-e', join(dir, 'error.log'), '-p', dir, '-c', conf], {
    endedByOwner: false,
  })
  // Told to end, it takes its worker along; killed, it may leave that behind.
  onTestFinished(async () => {
    if (nginx.finished === null) nginx.signal('SIGTERM')
    await within('nginx to end', nginx.exited)
  })
  await until('nginx to accept clients', async () => {
    if (nginx.finished !== null) throw new Error(`nginx did not start: ${nginx.stderr}`)
    return accepts(port)
  })
  return { port, recording: (stream) => join(dir, `${stream}.flv`) }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}
