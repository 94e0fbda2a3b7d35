import { version } from '../base/version.ts'
import type { Config } from '../config/config.ts'

/** What a person who started the server wants to know first. */
export function banner(config: Config, endpoints: readonly string[]): string {
  const port = /:(\d+)$/.exec(endpoints[0] ?? '')?.[1] ?? '1935'
  const host = port === '1935' ? '127.0.0.1' : `127.0.0.1:${port}`
  const url = `rtmp://${host}/live/livestream`
  return [
    '',
    `  Weir ${version} accepts clients on ${endpoints.join(', ')} (pid ${process.pid})`,
    '',
    `  publish   ${url}`,
    `            OBS: server rtmp://${host}/live, stream key livestream`,
    `            ffmpeg -re -i FILE -c copy -f flv ${url}`,
    `  play      ${url}  (ffplay, VLC, mpv)`,
    '  console   comes with the HTTP worker; until then: bin/weir ctl status',
    `  log       ${config.log.tank === 'file' ? config.log.file : 'this terminal'}`,
    '',
    '',
  ].join('\n')
}
