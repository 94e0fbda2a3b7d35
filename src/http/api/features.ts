import type { Features } from './schema/system.ts'

/** What this server can do, under SRS's names. A test holds it against what the configuration acts on. */
export const features: Features = {
  ssl: true,
  hls: true,
  hds: false,
  callback: true,
  api: true,
  httpd: true,
  dvr: true,
  transcode: true,
  ingest: true,
  stat: true,
  caster: false,
  complex_send: true,
  tcp_nodelay: true,
  so_sendbuf: false,
  mr: true,
}
